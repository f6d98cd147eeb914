/**
 * The contents of a recorded AArch64 case: one machine state, one access, and the answers of a real implementation.
 *
 * Addresses, registers and descriptors are hexadecimal text in the file and {@link Word64} here.
 */

import { z } from 'zod';
import type { Word64 } from '../../../hw/base/address.js';
import { hexWord, id, origin, stored } from '../recording/hex.js';

const ZERO: Word64 = { hi: 0, lo: 0 };
/** TCR_EL1.TG0 and VTCR_EL2.TG0, and TCR_EL1.TG1, by granule. */
const TG0 = { 4: 0, 16: 2, 64: 1 };
const TG1 = { 4: 2, 16: 1, 64: 3 };
const flag = z.literal([0, 1]);

const found = z.strictObject({ k: z.literal('ok'), pa: z.array(hexWord).min(1).max(2) });
const abort = z.strictObject({
  k: z.literal('fault'),
  stage: z.literal([1, 2]),
  esr: hexWord,
  far: hexWord,
  /** Of stage 2 alone; absent, it is unknown. */
  ipa: hexWord.optional(),
});
const noAddress = z.strictObject({ k: z.literal('fault'), fst: hexWord });
const par = z.tuple([hexWord, hexWord]);

const state = {
  ...origin,
  id,
  cpu: z.enum(['max', 'neoverse-n1', 'cortex-a72']),
  granule: z.literal([4, 16, 64]),
  half: flag,
  el: flag,
  op: z.enum(['r', 'w', 'x', 'tr', 'tw']),
  size: z.literal([1, 2, 4, 8]),
  va: hexWord,
  ttbr0: hexWord.optional(),
  ttbr1: hexWord.optional(),
  tcr: hexWord,
  mair: hexWord,
  sctlr: z.strictObject({ m: flag, wxn: flag }),
  pan: flag,
  uao: flag,
  mem: z.array(stored).default([]),
  amask: hexWord.default(ZERO),
  /** What two sources differ in. */
  why: z.array(z.string()).optional(),
};
const after = z.array(hexWord);
const outcome = z.discriminatedUnion('k', [found, abort]);
const guest = { vtcr: hexWord, vttbr: hexWord };

/** Any line of a recording. */
export const armCase = z
  .discriminatedUnion('fam', [
    z.strictObject({ fam: z.literal('s1'), ...state, out: outcome, par, after }),
    z.strictObject({
      fam: z.literal('at'),
      ...state,
      out: z.discriminatedUnion('k', [found, noAddress]),
      par,
      after: after.default([]),
    }),
    z.strictObject({ fam: z.literal('s2'), ...state, ...guest, out: outcome, after }),
    z.strictObject({ fam: z.literal('s1s2'), ...state, ...guest, out: outcome, after }),
  ])
  .superRefine((value, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const { fam, half, granule, tcr, sctlr, op, size, el, mem } = value;
    const first = fam !== 's2';
    if (first !== (sctlr.m === 1)) complain('sctlr', `m ${sctlr.m}: a case of ${fam} has ${first ? 1 : 0}`);
    const root = half === 0 ? 'ttbr0' : 'ttbr1';
    if (first && value[root] === undefined) complain(root, `missing: a case with half ${half} needs it`);
    const ofSecond = 'vtcr' in value ? (value.vtcr.lo >>> 14) & 3 : 0;
    const field = first ? (half === 0 ? (tcr.lo >>> 14) & 3 : tcr.lo >>> 30) : ofSecond;
    if (field !== (first && half === 1 ? TG1 : TG0)[granule]) {
      complain('granule', `${granule} KiB, but ${first ? 'tcr' : 'vtcr'} has TG${first ? half : 0} ${field}`);
    }
    if (op === 'x' && size !== 4) complain('size', `${size}: an instruction has 4 bytes`);
    if (op.startsWith('t') && el === 0) complain('op', `${op}: a case with el 0 has r or w`);
    if (fam !== 'at' && value.after.length !== mem.length) {
      complain('after', `expected ${mem.length} values, one for each of mem, got ${value.after.length}`);
    }
  });

export type ArmCase = z.infer<typeof armCase>;
/** The result of an access, or of an AT instruction in its place. */
type RecordedOutcome = ArmCase['out'];
/** The same with PAR_EL1 after AT instructions for a read and a write: addresses and status alone, if recorded. */
export type ArmOutcome = RecordedOutcome & { readonly par?: readonly Word64[] };
