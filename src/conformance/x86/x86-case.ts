/**
 * The contents of a recorded x86 case: one machine state, one access, and the deeds of real implementations.
 *
 * Addresses, registers and entries are hexadecimal text in the file and {@link Word64} here.
 */

import { z } from 'zod';
import type { Word64 } from '../../../hw/base/address.js';
import { hexWord, id, origin, stored } from '../recording/hex.js';

const ZERO: Word64 = { hi: 0, lo: 0 };
const register = hexWord.default(ZERO);
const memory = z.array(stored).default([]);
/** Fetches have the bytes of a whole instruction. */
const size = z.literal([1, 2, 4, 6, 8]);
const cpl = z.number().int().min(0).max(3);
const amask = register;

const fault = z.strictObject({
  k: z.literal('fault'),
  vec: z.number().int().min(0).max(255),
  err: hexWord,
  cr2: hexWord.optional(),
  at: z.string().optional(),
});
const accessOutcome = z.discriminatedUnion('k', [
  z.strictObject({ k: z.literal('ok'), pa: z.array(hexWord).max(2).default([]) }),
  fault,
]);
const twoReadsOutcome = z.discriminatedUnion('k', [
  z.strictObject({ k: z.literal('ok'), pa1: hexWord, pa2: hexWord }),
  fault,
]);

const registers = { cr0: hexWord, cr3: register, cr4: register, efer: register };
const mode = z.literal(['none', '32', 'pae', '4l', '5l']);

const pagingCase = z.strictObject({
  fam: z.literal('paging'),
  ...origin,
  id,
  mode,
  cpl,
  op: z.enum(['r', 'w', 'rmw', 'x']),
  size,
  seg: z.enum(['ds', 'ss']).default('ds'),
  ac: z.number().int().min(0).max(1).default(0),
  la: hexWord,
  ...registers,
  pkru: register,
  mem: memory,
  out: accessOutcome,
  after: z.array(hexWord).default([]),
  amask,
});

const table = z.tuple([hexWord, hexWord]);
const segmentCase = {
  ...origin,
  id,
  // The recorder runs 32-bit protected mode here; long modes have other segment rules.
  mode: z.literal(['none', '32']),
  cpl,
  sel: hexWord,
  gdtr: table,
  ldtr: table.nullable().default(null),
  desc: stored.nullable().default(null),
  ...registers,
  mem: memory,
  out: accessOutcome,
  after: z.array(hexWord).default([]),
  amask,
};
const dataRegister = z.enum(['ds', 'es', 'fs', 'gs', 'ss']);

const dataCase = z.strictObject({
  fam: z.literal('segdata'),
  ...segmentCase,
  sreg: dataRegister,
  op: z.enum(['r', 'w', 'rmw']),
  size,
  off: hexWord,
});
const loadCase = z.strictObject({ fam: z.literal('segload'), ...segmentCase, sreg: dataRegister });
const jumpCase = z.strictObject({
  fam: z.literal('segjmp'),
  ...segmentCase,
  sreg: z.literal('cs').optional(),
  op: z.literal('x').optional(),
  size,
  off: hexWord,
});

const recordedReads = z.strictObject({ out: twoReadsOutcome, after: z.array(hexWord).optional() });
const tlbCase = z.strictObject({
  fam: z.literal('tlb'),
  ...origin,
  id,
  mode: z.literal(['32', 'pae', '4l', '5l']),
  cpl: z.literal(0),
  la: hexWord,
  ...registers,
  pkru: register,
  mem: z.array(stored).min(1),
  chg: z.number().int().min(0),
  new: hexWord,
  act: z.enum(['invlpg', 'movcr3', 'invpcid0', 'invpcid1', 'invpcid2', 'invpcid3', 'cr4pge', 'pcidswitch']),
  must: z.boolean(),
  out: twoReadsOutcome.optional(),
  after: z.array(hexWord).optional(),
  amask: hexWord.default({ hi: 0, lo: 0x60 }),
  seen: z.record(z.string(), recordedReads).default({}),
});

/** Any line of a recording. */
export const x86Case = z
  .discriminatedUnion('fam', [pagingCase, dataCase, loadCase, jumpCase, tlbCase])
  .superRefine((value, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (value.fam === 'tlb') {
      if (value.chg >= value.mem.length) complain('chg', `expected the number of an entry of mem, got ${value.chg}`);
      if (value.must && !value.out) complain('out', 'missing: a case that must hold needs its outcome');
      if (!value.out && Object.keys(value.seen).length === 0) complain('seen', 'missing: no outcome was recorded');
      return;
    }
    const structures = value.mem.length + (value.fam === 'paging' || value.desc === null ? 0 : 1);
    if (value.after.length !== structures) {
      complain('after', `expected ${structures} values, one for each of desc and mem, got ${value.after.length}`);
    }
  });

export type X86Case = z.infer<typeof x86Case>;
export type PagingCase = z.infer<typeof pagingCase>;
export type SegmentCase = z.infer<typeof dataCase> | z.infer<typeof loadCase> | z.infer<typeof jumpCase>;
export type TlbCase = z.infer<typeof tlbCase>;
export type Fault = z.infer<typeof fault>;

/** The result of an access. Physical addresses in `pa`: of the first byte, and of the first on a second page. */
export type AccessOutcome = z.infer<typeof accessOutcome>;
/** The results of the second read of a `tlb` case, and of the first. */
export type TwoReadsOutcome = z.infer<typeof twoReadsOutcome>;
