/**
 * The machine for recorded RISC-V cases: set up a state as software would, make one access, look.
 *
 * Everything goes through the hardware layer's public face. One RAM serves all cases, and one hart each kind of
 * processor; each case leaves RAM zero again.
 */

import { FETCH, READ, WRITE } from '../../../hw/base/access.js';
import type { Word64 } from '../../../hw/base/address.js';
import { fromBigInt, PAGE_OFFSET_MASK, toBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { ENTRY_READ, ENTRY_WRITE } from '../../../hw/riscv/exception.js';
import { Hart } from '../../../hw/riscv/hart.js';
import * as csr from '../../../hw/riscv/registers.js';
import type { ReplayedAccess } from '../recording/hardware.js';
import { physical } from '../recording/words.js';
import type { RiscvCase, RiscvOutcome } from './riscv-case.js';

/** RAM of the recorded machines. It is empty above, and no case touches the addresses below. */
const RAM_RANGE = { base: 0x8000_0000, bytes: 2 ** 29 };
const ACCESSES = { r: READ, w: WRITE, amo: WRITE, x: FETCH } as const;
const MODE_BITS = { U: csr.USER_MODE, S: csr.SUPERVISOR_MODE, M: csr.MACHINE_MODE } as const;
const GUEST_PAGE_FAULTS: readonly number[] = [20, 21, 23];

export class RiscvMachine {
  readonly #ram = new Ram({ ranges: [RAM_RANGE] });
  readonly #harts = new Map<string, Hart>();

  replay(recorded: RiscvCase): ReplayedAccess<RiscvOutcome> {
    const { mem, xlen } = recorded;
    const hart = this.#hartFor(recorded);
    for (const [address, value] of mem) this.#storeEntry(xlen, address, value);
    setState(hart, recorded);
    const stale = hart.checker?.found.length ?? 0;
    const out = access(hart, recorded);
    const again = access(hart, recorded);
    const after = mem.map(([address]) => this.#loadEntry(xlen, address));
    for (const [address] of mem) this.#storeEntry(xlen, address, { hi: 0, lo: 0 });
    return { out, again, stale: (hart.checker?.found.length ?? 0) - stale, after };
  }

  #hartFor({ xlen, svnapot }: RiscvCase): Hart {
    const key = `${xlen} ${svnapot}`;
    const hart = this.#harts.get(key) ?? new Hart({ ram: this.#ram, xlen, svnapot: svnapot === 1, check: true });
    this.#harts.set(key, hart);
    return hart;
  }

  #storeEntry(xlen: number, address: Word64, value: Word64): void {
    if (xlen === 32) this.#ram.store32(address.hi, address.lo, value.lo);
    else this.#ram.store64(address.hi, address.lo, value.hi, value.lo);
  }

  #loadEntry(xlen: number, address: Word64): Word64 {
    if (xlen === 32) return { hi: 0, lo: this.#ram.load32(address.hi, address.lo) };
    const lo = this.#ram.load64(address.hi, address.lo);
    return { hi: this.#ram.loadedHigh, lo };
  }
}

/** A flag of a case as a bit of a register. */
const bit = (flag: number, value: number): number => (flag === 1 ? value : 0);

/** Registers and privilege of a case. Nothing of the case before is left in TLBs, emptied as by software: by fences. */
function setState(hart: Hart, recorded: RiscvCase): void {
  const { xlen, priv, mprv, mpp = 'U', v } = recorded;
  hart.setPrivilege('M');
  const write = (name: csr.CsrName, value: Word64): void => {
    hart.writeCsr(name, toBigInt(xlen === 32 ? 0 : value.hi, value.lo));
  };
  /** A register with a name of its own for the high word if XLEN is 32. */
  const writePair = (name: 'mstatus' | 'menvcfg' | 'henvcfg', value: Word64): void => {
    write(name, value);
    if (xlen === 32) write(`${name}h`, { hi: 0, lo: value.hi });
  };
  const { sum, mxr, adue, pbmte, vsum, vmxr, hadue, hpbmte } = recorded;
  const modified = bit(mprv, csr.MPRV | (MODE_BITS[mpp] << csr.MPP_SHIFT));
  writePair('mstatus', { hi: bit(mprv & v, csr.MPV), lo: modified | bit(sum, csr.SUM) | bit(mxr, csr.MXR) });
  writePair('menvcfg', { hi: bit(adue, csr.ADUE) | bit(pbmte, csr.PBMTE), lo: 0 });
  writePair('henvcfg', { hi: bit(hadue, csr.ADUE) | bit(hpbmte, csr.PBMTE), lo: 0 });
  write('vsstatus', { hi: 0, lo: bit(vsum, csr.SUM) | bit(vmxr, csr.MXR) });
  const zero = { hi: 0, lo: 0 };
  write('satp', recorded.satp ?? zero);
  write('vsatp', recorded.vsatp ?? zero);
  write('hgatp', recorded.hgatp ?? zero);
  hart.sfenceVma();
  hart.hfenceGvma();
  hart.setPrivilege(priv, v === 1 && mprv === 0);
}

/** Makes the access of a case, but for the bytes: every one is translated, and none stored. */
function access(hart: Hart, { op, va, size }: RiscvCase): RiscvOutcome {
  if (hart.locate(va.hi, va.lo, size, ACCESSES[op]) < 0) return faultOf(hart);
  const pa = [physical(hart.firstFrame, va.lo & PAGE_OFFSET_MASK)];
  if (hart.secondFrame >= 0) pa.push(physical(hart.secondFrame, 0));
  return { k: 'ok', pa };
}

/** The hart's last fault in the form of a recording. */
function faultOf(hart: Hart): RiscvOutcome {
  const { cause, tval, tval2, tinst } = hart.trap();
  const onEntry = (hart.fault.errorCode & (ENTRY_READ | ENTRY_WRITE)) !== 0;
  return {
    k: 'fault',
    cause,
    tval: fromBigInt(tval),
    ...(GUEST_PAGE_FAULTS.includes(cause) ? { tval2: fromBigInt(tval2) } : {}),
    ...(onEntry ? { tinst: { hi: 0, lo: tinst } } : {}),
  };
}
