/**
 * The contents of a recorded RISC-V case: one machine state, one access, and the answers of real implementations.
 *
 * Addresses, registers and entries are hexadecimal text in the file and {@link Word64} here.
 */

import { z } from 'zod';
import type { Word64 } from '../../../hw/base/address.js';
import { hexWord, id, origin, stored } from '../recording/hex.js';

const ZERO: Word64 = { hi: 0, lo: 0 };
/** MODE of satp and vsatp, and of hgatp. */
const MODES = { bare: 0, sv32: 1, sv39: 8, sv48: 9, sv57: 10 };
const GUEST_MODES = { bare: 0, sv32x4: 1, sv39x4: 8, sv48x4: 9, sv57x4: 10 };
const flag = z.number().int().min(0).max(1);
const off = flag.default(0);

const outcome = z.discriminatedUnion('k', [
  z.strictObject({ k: z.literal('ok'), pa: z.array(hexWord).min(1).max(2) }),
  z.strictObject({
    k: z.literal('fault'),
    cause: z.number().int().min(0).max(63),
    tval: hexWord,
    /** Of guest page faults alone. */
    tval2: hexWord.optional(),
    /** Only if the second stage refused an access to an entry of the first; absent, it was not recorded. */
    tinst: hexWord.optional(),
  }),
]);

/** Any line of a recording. */
export const riscvCase = z
  .strictObject({
    ...origin,
    fam: z.enum(['paging', 'bit', 'cross', 'bare', 'two']),
    id,
    xlen: z.literal([32, 64]),
    mode: z.enum(['bare', 'sv32', 'sv39', 'sv48', 'sv57']),
    gmode: z.enum(['bare', 'sv32x4', 'sv39x4', 'sv48x4', 'sv57x4']).optional(),
    priv: z.enum(['U', 'S', 'M']),
    mprv: off,
    mpp: z.enum(['U', 'S', 'M']).optional(),
    v: off,
    op: z.enum(['r', 'w', 'amo', 'x']),
    size: z.literal([1, 2, 4, 8]),
    /** The bit flipped in a good mapping: level and number. */
    flip: z.tuple([z.number().int(), z.number().int()]).optional(),
    va: hexWord,
    satp: hexWord.optional(),
    vsatp: hexWord.optional(),
    hgatp: hexWord.optional(),
    sum: off,
    mxr: off,
    adue: off,
    pbmte: off,
    svnapot: off,
    vsum: off,
    vmxr: off,
    hadue: off,
    hpbmte: off,
    mem: z.array(stored).default([]),
    out: outcome,
    after: z.array(hexWord).default([]),
    amask: hexWord.default(ZERO),
  })
  .superRefine((value, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    for (const name of value.v === 1 ? (['vsatp', 'hgatp'] as const) : (['satp'] as const)) {
      if (value[name] === undefined) complain(name, `missing: a case with v ${value.v} needs it`);
    }
    if (value.mprv === 1 && value.mpp === undefined) complain('mpp', 'missing: a case with mprv 1 needs it');
    const modeIn = (register: Word64 = ZERO): number => (value.xlen === 32 ? register.lo >>> 31 : register.hi >>> 28);
    const mode = modeIn(value.v === 1 ? value.vsatp : value.satp);
    if (mode !== MODES[value.mode]) complain('mode', `${value.mode}, but the register has MODE ${mode}`);
    if (value.gmode !== undefined && modeIn(value.hgatp) !== GUEST_MODES[value.gmode]) {
      complain('gmode', `${value.gmode}, but hgatp has MODE ${modeIn(value.hgatp)}`);
    }
    if (value.after.length !== value.mem.length) {
      complain('after', `expected ${value.mem.length} values, one for each of mem, got ${value.after.length}`);
    }
  });

export type RiscvCase = z.infer<typeof riscvCase>;
/** The result of an access. Physical addresses in `pa`: of the first byte, and of the first on a second page. */
export type RiscvOutcome = z.infer<typeof outcome>;
