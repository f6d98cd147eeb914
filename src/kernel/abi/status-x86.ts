/** Names of what the hardware answers, where it stands in place of an errno. */

import { faultName } from '../../../hw/x86/exception.js';
import { isStatus } from '../../../hw/x86/status.js';

/** `#PF page fault` and the like; `undefined` for a number that is no status. */
export function statusName(result: number): string | undefined {
  return isStatus(result) ? faultName(result) : undefined;
}
