/** Names of the hardware's statuses, for a caller with one of them in place of an errno. */

import { faultName, isStatus } from '../../../hw/x86/exception.js';

/** `#PF page fault` and the like; `undefined` for any other number. */
export function statusName(result: number): string | undefined {
  return isStatus(result) ? faultName(result) : undefined;
}
