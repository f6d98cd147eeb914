/**
 * The contents of a recorded case of nested paging: a guest's state under AMD's NPT or Intel's EPT, one access, and the
 * deeds of real implementations.
 *
 * Addresses, registers and entries are hexadecimal text in the file and {@link Word64} here.
 */

import { z } from 'zod';
import type { Word64 } from '../../../hw/base/address.js';
import { hexWord, id, stored } from '../recording/hex.js';

const ZERO: Word64 = { hi: 0, lo: 0 };
const flag = z.number().int().min(0).max(1);
const mask = hexWord.default(ZERO);

const outcome = z.discriminatedUnion('k', [
  /** Physical addresses of the first byte, and of the first on a second page; null proves nothing. */
  z.object({ k: z.literal('ok'), pa: z.array(hexWord.nullable()).min(1).max(2) }),
  /** The guest's own page fault. */
  z.object({ k: z.literal('fault'), vec: z.literal(14), err: hexWord, cr2: hexWord }),
  z.object({ k: z.literal('npf'), info1: hexWord, info2: hexWord }),
  z.object({ k: z.literal('ept'), qual: hexWord, gpa: hexWord, gla: hexWord }),
  z.object({ k: z.literal('misconf'), gpa: hexWord }),
]);

const common = {
  id,
  mode: z.enum(['none', '32', 'pae', '4l', '5l']),
  cpl: z.number().int().min(0).max(3),
  op: z.enum(['r', 'w', 'rmw', 'x']),
  size: z.number().int().min(1).max(8),
  ac: flag.default(0),
  la: hexWord,
  cr0: hexWord,
  cr3: hexWord,
  cr4: hexWord,
  efer: hexWord,
  /** Physical address of the nested root. */
  nroot: hexWord,
  /** Entries of the guest's tables and of the nested ones, at their physical addresses. */
  mem: z.array(stored),
  nmem: z.array(stored),
  out: outcome,
  after: z.array(hexWord),
  nafter: z.array(hexWord),
  /** Bits not to compare: of `after`, of `nafter`, of `qual` or `info1`. */
  amask: mask,
  namask: mask,
  qmask: mask,
};

/** A line of a recording of nested paging; unknown fields are ignored. */
export const nestedCase = z
  .discriminatedUnion('fam', [
    /** `hnxe`: the host's EFER.NXE. */
    z.object({ fam: z.literal('npt'), hnxe: flag, ...common }),
    /** `ead`: accessed and dirty flags of EPT; `mbe`: mode-based execute control. */
    z.object({ fam: z.literal('ept'), ead: flag, mbe: flag, ...common }),
  ])
  .superRefine((value, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const pairs = [
      ['mem', 'after'],
      ['nmem', 'nafter'],
    ] as const;
    for (const [before, after] of pairs) {
      if (value[after].length === value[before].length) continue;
      complain(after, `expected ${value[before].length} values, one for each of ${before}, got ${value[after].length}`);
    }
    if (value.fam === 'ept' && value.mode === 'pae' && value.mem.length === 0) {
      complain('mem', 'missing: the first entry of PAE under EPT is the PDPTE register');
    }
  });

export type NestedCase = z.infer<typeof nestedCase>;
export type NestedOutcome = z.infer<typeof outcome>;
