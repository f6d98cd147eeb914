/** Checks of arguments, before a call looks at them. Segments make the same. */

import { checkSize, checkWhole } from '../../../hw/base/arguments.js';

export {
  checkChoice,
  checkKind,
  checkObject,
  checkOptions,
  checkSize,
  checkValue,
  checkWhole,
  isWhole,
  objectWith,
  shown,
} from '../../../hw/base/arguments.js';

/** Refuses an access that no instruction makes. @throws RangeError */
export function checkAccess(address: number, size: number): void {
  checkWhole('address', address, 0, Number.MAX_SAFE_INTEGER);
  checkSize(size);
}
