/**
 * The machine for recorded AArch64 cases: set up a state as software would, make one access, look.
 *
 * Everything goes through the hardware layer's public face. One RAM serves all cases, and one PE each kind of
 * processor; each case leaves RAM zero again. The recorded machine has RAM at every address, and zeros but for a few
 * descriptors: so no RAM here means a page there, and a descriptor without the valid bit.
 */

import {
  abortKindOf,
  FSC_EXTERNAL,
  FSC_EXTERNAL_ON_WALK,
  FSC_TRANSLATION,
  statusCode,
} from '../../../hw/aarch64/exception.js';
import type { AArch64CpuName } from '../../../hw/aarch64/features.js';
import { Pe } from '../../../hw/aarch64/pe.js';
import type { AtName } from '../../../hw/aarch64/pe.js';
import { HCR_VM, SCTLR_M, SCTLR_WXN } from '../../../hw/aarch64/registers.js';
import type { SystemRegisterName } from '../../../hw/aarch64/registers.js';
import { FETCH, READ, WRITE } from '../../../hw/base/access.js';
import type { Word64 } from '../../../hw/base/address.js';
import { fromBigInt, highWordAfter, PAGE_BYTES, PAGE_OFFSET_MASK, toBigInt } from '../../../hw/base/address.js';
import { BUS_ERROR } from '../../../hw/base/fault.js';
import { Ram } from '../../../hw/memory/ram.js';
import type { ReplayedAccess } from '../recording/hardware.js';
import { physical } from '../recording/words.js';
import type { ArmCase, ArmOutcome } from './arm-case.js';

/** Where the recorded machine's descriptors are. */
const RAM_RANGE = { base: 0x4000_0000, bytes: 2 ** 29 };
const ZERO: Word64 = { hi: 0, lo: 0 };
const FSC = 0x3f;
/** PAR_EL1 on success: bits 51:12; on a fault: F, FST, PTW, S. */
const PAR_ADDRESS: Word64 = { hi: 0xf_ffff, lo: ~0xfff };
const PAR_FAULT: Word64 = { hi: 0, lo: 0x37f };

export class ArmMachine {
  readonly #ram = new Ram({ ranges: [RAM_RANGE] });
  readonly #pes = new Map<AArch64CpuName, Pe>();

  replay(recorded: ArmCase): ReplayedAccess<ArmOutcome> {
    const { mem, fam } = recorded;
    const pe = this.#peFor(recorded.cpu);
    for (const [address, { hi, lo }] of mem) this.#ram.store64(address.hi, address.lo, hi, lo);
    setState(pe, recorded);
    const stale = pe.checker?.found.length ?? 0;
    const act = fam === 'at' ? (): ArmOutcome => translated(pe, recorded) : (): ArmOutcome => access(pe, recorded);
    const out = act();
    const again = act();
    const after = fam === 'at' ? [] : mem.map(([address]) => this.#load(address));
    const par = 'par' in recorded ? { par: parsOf(pe, recorded) } : {};
    for (const [address] of mem) this.#ram.store64(address.hi, address.lo, 0, 0);
    const found = (pe.checker?.found.length ?? 0) - stale;
    return { out: { ...out, ...par }, again: { ...again, ...par }, stale: found, after };
  }

  #peFor(cpu: AArch64CpuName): Pe {
    const pe = this.#pes.get(cpu) ?? new Pe({ ram: this.#ram, cpu, check: true });
    this.#pes.set(cpu, pe);
    return pe;
  }

  #load({ hi, lo }: Word64): Word64 {
    const low = this.#ram.load64(hi, lo);
    return { hi: this.#ram.loadedHigh, lo: low };
  }
}

/** Registers and level of a case. Nothing of the case before is left in TLBs. */
function setState(pe: Pe, recorded: ArmCase): void {
  const { sctlr, tcr, mair, ttbr0 = ZERO, ttbr1 = ZERO, pan, uao, el } = recorded;
  const { vtcr = ZERO, vttbr = ZERO } = 'vtcr' in recorded ? recorded : {};
  const write = (name: SystemRegisterName, { hi, lo }: Word64): void => {
    pe.writeRegister(name, toBigInt(hi, lo));
  };
  pe.setExceptionLevel(2);
  write('SCTLR_EL1', { hi: 0, lo: (sctlr.m * SCTLR_M) | (sctlr.wxn * SCTLR_WXN) });
  write('TCR_EL1', tcr);
  write('MAIR_EL1', mair);
  write('TTBR0_EL1', ttbr0);
  write('TTBR1_EL1', ttbr1);
  write('VTCR_EL2', vtcr);
  write('VTTBR_EL2', vttbr);
  write('HCR_EL2', { hi: 0, lo: 'vtcr' in recorded ? HCR_VM : 0 });
  pe.tlbi('ALLE1');
  pe.pan = pan === 1;
  pe.uao = uao === 1;
  pe.setExceptionLevel(el);
}

function accessOf(pe: Pe, { op }: ArmCase): number {
  if (op === 'x') return FETCH;
  const kind = op.endsWith('w') ? WRITE : READ;
  return op.startsWith('t') ? kind | pe.unprivileged : kind;
}

/** Makes the access of a case, but for the bytes: every one is translated, and none stored. */
function access(pe: Pe, recorded: ArmCase): ArmOutcome {
  const { va, size, granule } = recorded;
  const kind = accessOf(pe, recorded);
  const granuleMask = granule * 1024 - 1;
  const crosses = (va.lo & granuleMask) + size > granuleMask + 1;
  const status = pe.locate(va.hi, va.lo, size, kind);
  if (status >= 0) {
    const second = crosses ? [physical(pe.secondFrame, 0)] : [];
    return { k: 'ok', pa: [physical(pe.firstFrame, va.lo & PAGE_OFFSET_MASK), ...second] };
  }
  if (!isBeyondRam(pe, status)) return faultOf(pe);
  // Page by page: the second stage may have smaller ones.
  const next = PAGE_BYTES - (va.lo & PAGE_OFFSET_MASK);
  const second = next < size ? [{ hi: highWordAfter(va.hi, va.lo, next), lo: (va.lo + next) | 0 }] : [];
  const pa: Word64[] = [];
  for (const { hi, lo } of [va, ...second]) {
    const frame = pe.translate(hi, lo, kind);
    if (frame >= 0) pa.push(physical(frame, lo & PAGE_OFFSET_MASK));
    else if (isBeyondRam(pe, frame)) pa.push({ hi: pe.outputHi, lo: pe.outputLo });
    else return faultOf(pe);
  }
  return { k: 'ok', pa: crosses ? pa : pa.slice(0, 1) };
}

/** Whether the translation is good and only RAM does not answer. */
function isBeyondRam(pe: Pe, status: number): boolean {
  return status === BUS_ERROR && (pe.fault.errorCode & FSC) === FSC_EXTERNAL;
}

/** A fault status code as the recorded machine has it. */
function recordedFsc(fsc: number): number {
  const { kind, level } = abortKindOf(fsc);
  return kind === FSC_EXTERNAL_ON_WALK ? statusCode(FSC_TRANSLATION, level) : fsc;
}

/** The PE's last fault in the form of a recording. */
function faultOf(pe: Pe): ArmOutcome {
  const { el, esr, far, hpfar } = pe.abort();
  const ipa = el === 2 ? { ipa: fromBigInt((hpfar >> 4n) << 12n) } : {};
  const code = (esr & ~FSC) | recordedFsc(esr & FSC);
  return { k: 'fault', stage: el, esr: { hi: 0, lo: code }, far: fromBigInt(far), ...ipa };
}

/** PAR_EL1 after an AT instruction, in the form of a recording. */
function parOf(pe: Pe, name: AtName, { hi, lo }: Word64): Word64 {
  pe.at(name, hi, lo);
  const par = fromBigInt(pe.readRegister('PAR_EL1'));
  if ((par.lo & 1) === 0) return { hi: par.hi & PAR_ADDRESS.hi, lo: par.lo & PAR_ADDRESS.lo };
  const fst = recordedFsc((par.lo >>> 1) & FSC);
  return { hi: 0, lo: (par.lo & PAR_FAULT.lo & ~(FSC << 1)) | (fst << 1) };
}

/** The level of the AT instructions of a case. */
const isEl0 = ({ el, op }: ArmCase): boolean => el === 0 || op.startsWith('t');

function parsOf(pe: Pe, recorded: ArmCase): readonly Word64[] {
  const names: readonly AtName[] = isEl0(recorded) ? ['S1E0R', 'S1E0W'] : ['S1E1R', 'S1E1W'];
  return names.map((name) => parOf(pe, name, recorded.va));
}

/** A case of AT instead of an access: what PAR_EL1 says of it. */
function translated(pe: Pe, recorded: ArmCase): ArmOutcome {
  const { op, va } = recorded;
  const [ofRead, ofWrite] = parsOf(pe, recorded);
  const { hi, lo } = op.endsWith('w') ? ofWrite : ofRead;
  if ((lo & 1) !== 0) return { k: 'fault', fst: { hi: 0, lo: (lo >>> 1) & FSC } };
  return { k: 'ok', pa: [{ hi, lo: lo | (va.lo & PAGE_OFFSET_MASK) }] };
}
