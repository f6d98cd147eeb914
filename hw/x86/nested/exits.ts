/**
 * Exits to the hypervisor: what a refusal by the second stage tells it.
 *
 * The fault record has one word for it: the low bits of the exit qualification, or of EXITINFO1.
 * Sources: Intel SDM vol. 3C, "Exit Qualification for EPT Violations", "EPT Misconfigurations"; AMD APM vol. 2, "Nested
 * versus Guest Page Faults, Fault Ordering" (15.25.6).
 */

import { formatHex, toBigInt } from '../../base/address.js';
import type { Exception } from '../../base/fault.js';
import { describePageFault } from '../exception.js';

/** Exit qualification: the access was a read, a write, a fetch. */
export const QUAL_READ = 1 << 0;
export const QUAL_WRITE = 1 << 1;
export const QUAL_FETCH = 1 << 2;
/** The AND of the entries' R, W and X, in bits 5:3, and of their XU in bit 6. */
export const QUAL_ALLOWED_SHIFT = 3;
export const QUAL_ALLOWED_XU = 1 << 6;
/** The guest-linear address is valid: always but for a load of PDPTEs by MOV to a control register. */
export const QUAL_LINEAR_VALID = 1 << 7;
/** The address is the translation of the linear address; clear for a paging-structure entry on the way. */
export const QUAL_FINAL = 1 << 8;
/** With bits 7 and 8: a user-mode linear address, with writes allowed, and without fetches by the guest's entries. */
export const QUAL_USER = 1 << 9;
export const QUAL_WRITABLE = 1 << 10;
export const QUAL_EXECUTE_DISABLE = 1 << 11;

/** Marks of the word for a misconfiguration, and for AMD: there bits 7:0 are the error code of EXITINFO1. */
export const EXIT_MISCONFIGURATION = 1 << 30;
export const EXIT_NPF = 1 << 29;
/** Bits 32 and 33 of EXITINFO1: the final address, or a guest's table. */
export const NPF_FINAL = 1 << 8;
export const NPF_TABLE = 1 << 9;
const NPF_TO_INFO1 = 24n;
const NPF_CODE = 0xff;

/** An exit to the hypervisor by the second stage, as its fields in VMCS or VMCB say. */
export type VmExit =
  | {
      /** Basic exit reason 48. */
      readonly reason: 'EPT violation';
      readonly qualification: bigint;
      readonly guestPhysical: bigint;
      /** Undefined if bit 7 of the qualification is clear. */
      readonly guestLinear: bigint | undefined;
    }
  | { /** Basic exit reason 49. */ readonly reason: 'EPT misconfiguration'; readonly guestPhysical: bigint }
  | { /** Exit code 400H. */ readonly reason: '#VMEXIT(NPF)'; readonly info1: bigint; readonly info2: bigint };

/** The exit of a fault, or undefined for a fault of the guest's own: its exception. */
export function vmExitOf(fault: Omit<Exception, 'status' | 'level'>): VmExit | undefined {
  if (fault.stage !== 2) return undefined;
  const { errorCode } = fault;
  const guestPhysical = toBigInt(fault.guestHi, fault.guestLo);
  if ((errorCode & EXIT_MISCONFIGURATION) !== 0) return { reason: 'EPT misconfiguration', guestPhysical };
  if ((errorCode & EXIT_NPF) !== 0) {
    const where = BigInt(errorCode & (NPF_FINAL | NPF_TABLE)) << NPF_TO_INFO1;
    return { reason: '#VMEXIT(NPF)', info1: where | BigInt(errorCode & NPF_CODE), info2: guestPhysical };
  }
  const guestLinear = (errorCode & QUAL_LINEAR_VALID) !== 0 ? toBigInt(fault.hi, fault.lo) : undefined;
  return { reason: 'EPT violation', qualification: BigInt(errorCode), guestPhysical, guestLinear };
}

/** One line for people: reason, guest-physical address, and the bits in words. */
export function describeVmExit(fault: Omit<Exception, 'status' | 'level'>): string {
  const exit = vmExitOf(fault);
  const { errorCode } = fault;
  const address = formatHex(fault.guestHi, fault.guestLo);
  const linear = formatHex(fault.hi, fault.lo);
  if (exit === undefined) return 'no exit';
  if (exit.reason === 'EPT misconfiguration') return `EPT misconfiguration at guest-physical ${address}`;
  if (exit.reason === '#VMEXIT(NPF)') {
    const of = (errorCode & NPF_TABLE) !== 0 ? "for an entry of the guest's tables" : 'for the page';
    const words = describePageFault(errorCode & NPF_CODE);
    return `#VMEXIT(NPF) at guest-physical ${address}, EXITINFO1 0x${exit.info1.toString(16)}: ${words}, ${of}, linear ${linear}`;
  }
  const access = errorCode & QUAL_FETCH ? 'instruction fetch' : errorCode & QUAL_WRITE ? 'write' : 'read';
  const of = (errorCode & QUAL_FINAL) !== 0 ? 'of the page' : "of an entry of the guest's tables";
  const where = exit.guestLinear === undefined ? 'for the PDPTE registers' : `${of}, linear ${linear}`;
  return `EPT violation at guest-physical ${address}, qualification 0x${errorCode.toString(16)}: ${access} ${where}`;
}
