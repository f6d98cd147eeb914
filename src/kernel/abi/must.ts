import { errnoName } from './errno.js';

/**
 * The result of a step that its caller has arranged to succeed; if it does not, the model is wrong, and says why.
 * @param nameOf names a result below 0: `faultName` for a step of the hardware, whose statuses are other numbers
 */
export function must<T>(result: T | number, nameOf: (result: number) => string = errnoName): T {
  if (typeof result === 'number' && result < 0)
    throw new Error(`a step that had to succeed was refused: ${nameOf(result)}`);
  return result as T;
}
