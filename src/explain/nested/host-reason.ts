/** Why a host's tables refuse an address of a guest on x86: the check that fails, in words of the access. */

import { toBigInt } from '../../../hw/base/address.js';
import type { PagingMode } from '../../../hw/base/format.js';
import { PF_FETCH, PF_PRESENT, PF_RESERVED, PF_WRITE } from '../../../hw/x86/exception.js';
import { PTE_RW, PTE_US } from '../../../hw/x86/format.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { EPT_EXECUTE, EPT_PAGE, EPT_READ, EPT_USER_EXECUTE, EPT_WRITE } from '../../../hw/x86/nested/ept-format.js';
import * as exits from '../../../hw/x86/nested/exits.js';
import { broken } from '../walk/check.js';
import type { Check, Reason } from '../walk/check.js';
import type { WayEntry } from '../radix/radix-walk.js';
import { EPT_CHECKS, NPT_CHECKS } from './host-checks.js';

/** Bits of a permission, by its name in EPT; no table refuses fetches by a bit that is 1. */
const EPT_BITS = { R: EPT_READ, W: EPT_WRITE, X: EPT_EXECUTE, XU: EPT_USER_EXECUTE } as const;
const ADDRESS_HIGH = 0xf_ffff;
const PDPT_LEVEL = 2;

/** Why the host `mode` refused the last access; `entries` are those on its way, as far as it came. */
export function hostReason(mmu: Mmu, mode: PagingMode, entries: readonly WayEntry[]): Reason {
  const { guestHi, guestLo } = mmu.fault;
  const isEpt = mode.name.startsWith('ept');
  if (toBigInt(guestHi, guestLo) >> BigInt(mode.linearBits) !== 0n) {
    const { addressBits } = isEpt ? EPT_CHECKS : NPT_CHECKS;
    return broken(addressBits, `guest-physical addresses have ${mode.linearBits} bits in ${mode.title}`);
  }
  // The way to this address alone: from behind the entry of the guest that gave it.
  const way = entries.slice(entries.findLastIndex(({ stage }) => stage === 1) + 1);
  const nameOf = ({ level }: WayEntry): string => {
    const table = mode.levels.find((candidate) => candidate.level === level)?.table ?? `level ${level}`;
    return `the host's ${table} entry`;
  };
  return isEpt ? eptReason(mmu, way, nameOf) : nptReason(mmu, way, nameOf);
}

type Way = readonly WayEntry[];
type NameOf = (entry: WayEntry) => string;

/** A refusal by a bit: the first entry without it, or one that a cache stands for. */
function lacking(check: Check, way: Way, nameOf: NameOf, refuses: (entry: WayEntry) => boolean, what: string): Reason {
  const entry = way.find(refuses);
  return broken(check, `${entry === undefined ? 'an entry that a cache stands for' : nameOf(entry)} has ${what}`);
}

function eptReason(mmu: Mmu, way: Way, nameOf: NameOf): Reason {
  const { errorCode } = mmu.fault;
  const last = way.at(-1);
  if (last !== undefined && (errorCode & exits.EXIT_MISCONFIGURATION) !== 0) return misconfigured(mmu, last, nameOf);
  const control = mmu.vm.current;
  const byMode = control !== null && 'eptp' in control && control.modeBasedExecute === true;
  const all = EPT_READ | EPT_WRITE | EPT_EXECUTE | (byMode ? EPT_USER_EXECUTE : 0);
  if (last !== undefined && (last.low & all) === 0) {
    return broken(EPT_CHECKS.present, `${nameOf(last)} is not present: R = W = X = 0`);
  }
  const allowed = errorCode >>> exits.QUAL_ALLOWED_SHIFT;
  const isRead = (errorCode & exits.QUAL_READ) !== 0;
  const [letter, check]: readonly [keyof typeof EPT_BITS, Check] =
    (errorCode & exits.QUAL_FETCH) !== 0
      ? [byMode && (errorCode & exits.QUAL_USER) !== 0 ? 'XU' : 'X', EPT_CHECKS.executable]
      : isRead && (allowed & EPT_READ) === 0
        ? ['R', EPT_CHECKS.readable]
        : ['W', isRead ? EPT_CHECKS.entryWritable : EPT_CHECKS.writable];
  return lacking(check, way, nameOf, ({ low }) => (low & EPT_BITS[letter]) === 0, `${letter} = 0`);
}

/** Source: Intel SDM vol. 3C, "EPT Misconfigurations". */
function misconfigured({ features }: Mmu, entry: WayEntry, nameOf: NameOf): Reason {
  const { level, high, low } = entry;
  const name = nameOf(entry);
  if ((low & (EPT_READ | EPT_WRITE)) === EPT_WRITE) return broken(EPT_CHECKS.writeOnly, `${name} has W without R`);
  if ((high & ADDRESS_HIGH) >>> (features.maxPhysicalBits - 32) !== 0) {
    return broken(EPT_CHECKS.address, `${name} has an address of more than ${features.maxPhysicalBits} bits`);
  }
  const isPage = level === 0 || (level <= PDPT_LEVEL && (low & EPT_PAGE) !== 0);
  if (!isPage) return broken(EPT_CHECKS.tableReserved, `${name} is for a table and has one of bits 7:3 set`);
  if (level === PDPT_LEVEL && !features.page1G) {
    return broken(EPT_CHECKS.pageSize, `${name} is for a page of 1 GiB, and the processor has none`);
  }
  const belowPage = 2 ** (12 + 9 * level) - 1;
  if ((low & belowPage & ~0xfff) !== 0) {
    return broken(EPT_CHECKS.aligned, `${name} has bits below the address of its page`);
  }
  return broken(EPT_CHECKS.memoryType, `${name} has the reserved memory type ${(low >>> 3) & 7}`);
}

function nptReason(mmu: Mmu, way: Way, nameOf: NameOf): Reason {
  const { errorCode } = mmu.fault;
  const last = way.at(-1);
  const name = last === undefined ? 'an entry' : nameOf(last);
  if ((errorCode & PF_PRESENT) === 0) return broken(NPT_CHECKS.present, `${name} is not present: P = 0`);
  if ((errorCode & PF_RESERVED) !== 0) return broken(NPT_CHECKS.reserved, `${name} has a reserved bit set`);
  if (way.some(({ low }) => (low & PTE_US) === 0)) {
    return lacking(NPT_CHECKS.user, way, nameOf, ({ low }) => (low & PTE_US) === 0, 'U/S = 0');
  }
  if ((errorCode & PF_WRITE) !== 0) {
    return lacking(NPT_CHECKS.writable, way, nameOf, ({ low }) => (low & PTE_RW) === 0, 'R/W = 0');
  }
  if ((errorCode & PF_FETCH) === 0) return lacking(NPT_CHECKS.user, way, nameOf, () => false, 'U/S = 0');
  return lacking(NPT_CHECKS.executable, way, nameOf, ({ high }) => high < 0, 'NX = 1');
}
