import { errnoName } from '../kernel/errno.js';

/** The result of a step that the lab is built to succeed in; if it does not, the model is wrong, and says where. */
export function must<T>(result: T | number): T {
  if (typeof result === 'number' && result < 0) throw new Error(`a step of the lab was refused: ${errnoName(result)}`);
  return result as T;
}
