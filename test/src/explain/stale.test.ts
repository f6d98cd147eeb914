import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { AARCH64_CHECKS } from '../../../src/explain/aarch64/checks.js';
import { buildPe, parseAArch64State } from '../../../src/explain/aarch64/aarch64-state.js';
import { aarch64Terms } from '../../../src/explain/aarch64/walk.js';
import type { AccessKind } from '../../../src/explain/machine-state.js';
import { explainRadixSteps } from '../../../src/explain/radix/radix-walk.js';
import { RISCV_CHECKS } from '../../../src/explain/riscv/checks.js';
import { buildHart, parseRiscvState } from '../../../src/explain/riscv/riscv-state.js';
import { riscvTerms } from '../../../src/explain/riscv/walk.js';
import { X86_CHECKS } from '../../../src/explain/walk/checks.js';
import { explainWalk } from '../../../src/explain/walk/walk.js';
import type { WalkRequest } from '../../../src/explain/walk/walk.js';
import { runs } from '../../runs.js';
import { bit, hex, memoryOf } from './broken-checks.js';

/** The rules that an access breaks, in the order told; none if it is allowed. */
type Explain = (request: WalkRequest) => readonly string[];

interface Subject {
  /** A machine over these entries; `cached` with TLBs and walk caches. */
  readonly make: (entries: Readonly<Record<number, bigint>>, cached: boolean) => { ram: Ram; explain: Explain };
  /** Entries above those of pages 0 to 3, and the last of them. */
  readonly above: Readonly<Record<number, bigint>>;
  readonly last: number;
  /** The table of pages 0 to 3. */
  readonly pages: number;
  /** A good entry of a page, and the bits to flip in it. */
  readonly page: bigint;
  readonly bits: readonly number[];
  /** The bits to flip in the last entry above: rights alone, the table stays. */
  readonly bitsAbove: readonly number[];
  readonly kept: string;
}

/** Of a state: small, for machines are made by the dozen. */
const RAM = { schemaVersion: 1, ramBase: '0x0', ramBytes: 0x6000 };

const SUBJECTS: Readonly<Record<string, Subject>> = {
  x86: {
    make: (entries, cached) => {
      const ram = new Ram({ bytes: 0x6000 });
      for (const [at, value] of Object.entries(entries)) ram.write64(Number(at), value);
      const mmu = new Mmu({ ram, tlb: parseTlb(cached ? 'skylake' : 'none') });
      mmu.writeCr4(0x300020);
      mmu.writeEfer(0x900);
      mmu.writeCr3(0, 0x1000);
      mmu.writeCr0(0x80010001);
      return {
        ram,
        explain: (request) => {
          const { outcome } = explainWalk(mmu, request);
          return outcome.kind === 'fault' ? outcome.reasons.map(({ rule }) => rule) : [];
        },
      };
    },
    above: { 0x1000: 0x2007n, 0x2000: 0x3007n, 0x3000: 0x4007n },
    last: 0x3000,
    pages: 0x4000,
    page: 0x5007n,
    bits: [0, 1, 2, 63],
    bitsAbove: [1, 2, 63],
    kept: X86_CHECKS.kept.rule,
  },
  'RISC-V': {
    make: (entries, cached) => {
      const csrs = { satp: hex(bit(63) | 1n), menvcfg: hex(bit(61)) };
      const tlb = cached ? 'sifive-u74' : 'none';
      const hart = buildHart(
        parseRiscvState({
          ...RAM,
          machine: 'riscv',
          tlb,
          csrs,
          memory: memoryOf(entries),
        }),
      );
      return {
        ram: hart.ram,
        explain: (request) => {
          const { outcome } = explainRadixSteps(hart, riscvTerms(hart), request).result;
          return outcome.kind === 'fault' ? [outcome.rule] : [];
        },
      };
    },
    above: { 0x1000: (0x2000n >> 2n) | 1n, 0x2000: (0x3000n >> 2n) | 1n },
    last: 0x2000,
    pages: 0x3000,
    page: (0x5000n >> 2n) | 0x1fn,
    bits: [0, 1, 2, 3, 4, 6, 7, 60],
    // It has no rights; software's own bit takes their place.
    bitsAbove: [8],
    kept: RISCV_CHECKS.kept.rule,
  },
  AArch64: {
    make: (entries, cached) => {
      const registers = { TTBR0_EL1: '0x1000', TCR_EL1: '0x200000010', SCTLR_EL1: hex(bit(19) | 1n) };
      const tlb = cached ? 'cortex-a76' : 'none';
      const pe = buildPe(
        parseAArch64State({
          ...RAM,
          machine: 'aarch64',
          tlb,
          registers,
          memory: memoryOf(entries),
        }),
      );
      return {
        ram: pe.ram,
        explain: (request) => {
          const { outcome } = explainRadixSteps(pe, aarch64Terms(pe, request), request).result;
          return outcome.kind === 'fault' ? [outcome.rule] : [];
        },
      };
    },
    above: { 0x1000: 0x2003n, 0x2000: 0x3003n, 0x3000: 0x4003n },
    last: 0x3000,
    pages: 0x4000,
    page: 0x5443n,
    bits: [0, 6, 7, 10, 53, 54],
    bitsAbove: [59, 60, 61, 62],
    kept: AARCH64_CHECKS.kept.rule,
  },
};

const PAGES = 4;
const page = fc.nat(PAGES - 1);
const flip = (bits: readonly number[]) => fc.record({ page, bit: fc.constantFrom(...bits), of: fc.constant('page') });
const access = fc.record({ page, access: fc.constantFrom<AccessKind>('read', 'write', 'fetch'), user: fc.boolean() });

/** Nothing is invalidated: caches keep what entries said before, and the explanation has to tell both apart. */
describe.each(Object.entries(SUBJECTS))(
  'a refusal on %s, after any changes of entries without an invalidation',
  (_, subject) => {
    const { make, above, last, pages, kept } = subject;

    it('breaks the rules told by the entries of this moment, or is older than them', () => {
      const change = fc.oneof(
        flip(subject.bits),
        fc.record({ bit: fc.constantFrom(...subject.bitsAbove), of: fc.constant('above') }),
      );
      fc.assert(
        fc.property(fc.array(fc.oneof(access, access, change), { minLength: 2, maxLength: 24 }), (events) => {
          const entries = { ...above };
          for (let n = 0; n < PAGES; n++) entries[pages + 8 * n] = subject.page;
          const { ram, explain } = make(entries, true);
          const plain = make(entries, false);
          let changed = false;
          for (const event of events) {
            if ('of' in event) {
              const at = 'page' in event ? pages + 8 * event.page : last;
              ram.write64(at, ram.read64(at) ^ bit(event.bit));
              changed = true;
              continue;
            }
            const request = { ...fromBigInt(BigInt(4096 * event.page)), access: event.access, user: event.user };
            const told = explain(request);
            if (!changed) expect(told).not.toContain(kept);
            for (const at of Object.keys(entries).map(Number)) plain.ram.write64(at, ram.read64(at));
            expect(plain.explain(request)).toEqual(expect.arrayContaining(told.filter((rule) => rule !== kept)));
          }
        }),
        { numRuns: runs(25) },
      );
    });
  },
);
