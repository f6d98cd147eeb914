/**
 * The contents of a recorded Linux program: operations on memory by some processes, and the answers of a real kernel.
 *
 * Addresses, lengths, offsets and sizes are in pages; fractions are bytes/4096.
 */

import { z } from 'zod';
import { checked } from '../../report/output/schema-words.js';

const process = z.number().int().min(0);
const pages = z.number();
const letters = (known: string): z.ZodString =>
  z.string().regex(new RegExp(`^[${known}]*$`), `expected letters of '${known}'`);
const prot = z.union([z.literal('none'), letters('rwx').min(1)]);
const fd = z.number().int().min(-1);
const byte = z.number().int().min(0).max(255);

/** Each operation's name and arguments, as the tables of the recorder give them. */
const operations = {
  mmap: [pages, pages, prot, letters('spaFNPGRHL'), fd, pages],
  munmap: [pages, pages],
  mprotect: [pages, pages, prot],
  mremap: [pages, pages, pages, letters('MFD-'), pages],
  madvise: [pages, pages, z.string()],
  msync: [pages, pages, letters('SAI')],
  mincore: [pages, pages],
  mlock: [pages, pages],
  mlock2: [pages, pages, z.enum(['F', '-'])],
  munlock: [pages, pages],
  mlockall: [letters('fo')],
  munlockall: [],
  fork: [process],
  exit: [],
  r: [pages, pages],
  w: [pages, pages, byte],
  trunc: [fd, pages],
  pw: [fd, pages, byte],
  pr: [fd, pages],
  xr: [fd, pages, pages, z.number().int().min(0)],
  xw: [fd, pages, pages, z.number().int().min(0)],
  falloc: [fd, pages, pages, z.enum(['punch', 'keep', 'grow'])],
  brk: [z.union([pages, z.literal('?')])],
  unlink: [],
  ck: [],
} satisfies Record<string, readonly z.ZodType[]>;

export type OperationName = keyof typeof operations;

const schemas = new Map<string, z.ZodType>(
  Object.entries<readonly z.ZodType[]>(operations).map(([name, args]) => [
    name,
    z.tuple([process, z.literal(name), ...args]),
  ]),
);

const argument = z.union([z.number(), z.string()]);
/** `[process, name, ...arguments]`. */
const operation = z.tuple([process, z.string()], argument).superRefine((value, context) => {
  const schema = schemas.get(value[1]);
  if (schema === undefined) {
    context.addIssue({ code: 'custom', message: `unknown operation '${value[1]}'`, path: [1] });
    return;
  }
  // `mincore`, `mremap` and others may carry fewer trailing arguments than the most general form.
  const result = checked(schema, value);
  if ('flaw' in result) {
    const { path, problem } = result.flaw;
    context.addIssue({ code: 'custom', message: `${value[1]}: ${problem}`, path: [...path] });
  }
});

const scalar = z.union([z.number(), z.string()]);
/** No recorded program has more pages than this, and none is worth looking through more. */
const arenaPage = z
  .int()
  .min(0)
  .max(2 ** 16);
/** A run of present pages: the first, how many, the first frame, flags; as `10+2=7x`. */
export const RUN = /^(\d{1,5})(?:\+(\d{1,5}))?=(\d*)([a-z]*)$/;
const runs = z
  .string()
  .refine(
    (text) => text.split(' ').every((run) => run === '' || RUN.test(run)),
    'expected runs of pages such as 10+2=7x',
  );
/** One VMA as smaps shows it; trailing zeros are left out. */
const recordedVma = z.tuple(
  [arenaPage, arenaPage, z.string(), z.number(), z.string(), z.string()],
  z.union([z.number(), z.null()]),
);
const checkpoint = z.array(z.object({ p: process, v: z.array(recordedVma), m: runs }));
/** A plain result, `[result, faults]`, `[byte, how, faults]`, or a checkpoint. */
const result = z.union([scalar, z.array(scalar).min(2).max(3), checkpoint]);

function isCheckpoint(value: z.infer<typeof result>): boolean {
  return Array.isArray(value) && value.every((part) => typeof part === 'object');
}

export const linuxProgram = z
  .object({
    id: z.union([z.string(), z.number()]),
    fam: z.enum(['mix', 'brk', 'thp', 'ext4', 'mlock']),
    pages: z.number().int().min(1),
    brk: z.number().default(-1),
    ops: z.array(operation),
    res: z.array(result),
  })
  .superRefine(({ ops, res }, context) => {
    if (ops.length !== res.length) {
      context.addIssue({ code: 'custom', message: 'expected as many results as ops', path: ['res'] });
      return;
    }
    for (const [at, [, name]] of ops.entries()) {
      if (isCheckpoint(res[at]) === (name === 'ck')) continue;
      const expected = name === 'ck' ? 'a checkpoint, a list of processes' : `the result of ${name}, no checkpoint`;
      context.addIssue({ code: 'custom', message: `expected ${expected}`, path: ['res', at] });
    }
  });

export type LinuxProgram = z.infer<typeof linuxProgram>;
export type LinuxOperation = z.infer<typeof operation>;
export type RecordedResult = z.infer<typeof result>;
export type RecordedCheckpoint = z.infer<typeof checkpoint>;
export type OperationValue = Exclude<RecordedResult, RecordedCheckpoint>;
