/** Names of the hardware's statuses, for a caller with one of them in place of an errno. */

import { faultName } from '../../../hw/x86/exception.js';
import { isStatus } from '../../../hw/x86/status.js';

/** `#PF page fault` and the like; `undefined` for any other number. */
export function statusName(result: number): string | undefined {
  return isStatus(result) ? faultName(result) : undefined;
}
