import { errnoName } from './errno.js';
import type { Errno } from './errno.js';
import type { Signal } from './signal.js';

/**
 * The result of a step that its caller has arranged to succeed; if it does not, the model is wrong, and says why.
 * @throws Error with the name of a result below 0: an errno, a signal or a status of the hardware
 */
export function must<T>(
  result: T,
): [Exclude<T, number>] extends [never] ? Exclude<T, Errno | Signal> : Exclude<T, number> {
  if (typeof result === 'number' && result < 0)
    throw new Error(`a step that had to succeed was refused: ${errnoName(result)}`);
  return result as ReturnType<typeof must<T>>;
}
