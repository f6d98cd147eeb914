/** How an access or an instruction ended, in words. */

import { formatHex } from '../base/address.js';
import { BUS_ERROR, PAGE_FAULT } from '../base/fault.js';
import type { Exception } from '../base/fault.js';
import { describePageFault, faultName } from './exception.js';
import { describeVmExit } from './nested/exits.js';

/** One line for people: name, address, error code in hexadecimal and words; or the exit to the hypervisor. */
export function describeException(
  exception: Pick<Exception, 'status' | 'errorCode' | 'hi' | 'lo'> &
    Partial<Pick<Exception, 'stage' | 'guestHi' | 'guestLo'>>,
): string {
  const { status, errorCode, hi, lo, stage = 1, guestHi = 0, guestLo = 0 } = exception;
  if (stage === 2) return describeVmExit({ errorCode, hi, lo, stage, guestHi, guestLo });
  const address = formatHex(hi, lo);
  const name = faultName(status);
  if (status === BUS_ERROR) return `${name}: no RAM at physical address ${address}`;
  const code = `error code 0x${errorCode.toString(16)}`;
  return status === PAGE_FAULT
    ? `${name} at ${address}, ${code}: ${describePageFault(errorCode)}`
    : `${name} at ${address}, ${code}`;
}
