/** The linear address of a selector and offset; the meaning of a descriptor. */

import { formatHex } from '../../hw/base/address.js';
import type { Random } from '../../hw/base/random.js';
import { describeDescriptor } from '../../hw/x86/segmentation/describe.js';
import { decodeEntry } from '../../hw/base/format.js';
import { CODE, limitOf, packSegment, SEGMENT_FORMAT, unpackSegment } from '../../hw/x86/segmentation/descriptor.js';
import { DS } from '../../hw/x86/segmentation/register.js';
import { buildMachine } from '../explain/machine.js';
import { DEMO_SELECTORS, segmentDemo } from '../explain/segment/segment-demo.js';
import { explainSegment } from '../explain/segment/segment.js';
import { checkLine, fieldLines } from '../explain/segment/segment-text.js';
import { between, LINE_WIDTH, outcomeParts, pick } from './exercise.js';
import type { Difficulty, ExerciseKind, Posed } from './exercise.js';

const CPL = 3;
const OFFSETS: Readonly<Record<Difficulty, readonly [from: number, to: number]>> = {
  easy: [0x100, 0x3fff],
  medium: [0x1f00, 0x20ff],
  hard: [0x1ffc, 0x2003],
};

/** The limit in a register such as GDTR: the offset of the last valid byte. */
function limitIn({ limit }: { readonly limit: number }): string {
  return formatHex(0, limit);
}

function access(random: Random, difficulty: Difficulty): Posed {
  const machine = buildMachine(segmentDemo(CPL));
  const { selector } = pick(random, DEMO_SELECTORS);
  // Near 8 KiB, the limit of most segments of the demonstration; the nearer, the more the size of the access counts.
  const [from, to] = OFFSETS[difficulty];
  const offset = between(random, from, to);
  const kind = pick(random, ['read', 'write'] as const);
  const size = pick(random, difficulty === 'easy' ? ([1] as const) : ([1, 2, 4] as const));
  const result = explainSegment(machine, { selector, hi: 0, lo: offset, access: kind, register: DS, size });
  const { outcome, linear, names, descriptors } = result;
  const code = outcome.kind === 'fault' ? `0x${(outcome.errorCode ?? 0).toString(16)}` : '';
  return {
    question:
      `Protected mode, CPL ${CPL}; the limit of the GDT is ${limitIn(machine.unit.gdtr)}, of the LDT ` +
      `${limitIn(machine.unit.ldtr)}. A program loads DS with ${result.selector} and makes a ${kind} of ${size} ` +
      `byte${size === 1 ? '' : 's'} at offset ${result.offset}. Which linear address is that, or which exception ` +
      'with which error code?',
    given: [`${names}: ${descriptors.at(0)?.raw ?? 'no descriptor'}`],
    answer: linear ?? (outcome.kind === 'fault' ? `${outcome.name}, error code ${code}` : outcome.physical),
    parts: outcomeParts(
      'linear address',
      linear ?? (outcome.kind === 'fault' ? { name: outcome.name, code } : outcome.physical),
    ),
    reasoning: [
      ...descriptors.map(({ words }) => words),
      ...result.checks.map((check) => checkLine(check, LINE_WIDTH)),
    ],
  };
}

/** @param difficulty easy: the limit counts bytes */
function decode(random: Random, difficulty: Difficulty): Posed {
  const { hi, lo } = packSegment({
    base: (random.nextInt32() & 0xffff_f000) >>> 0,
    limit: random.below(2 ** 20),
    type: random.below(16),
    codeOrData: true,
    privilege: random.below(4),
    present: random.below(4) > 0,
    available: random.below(2) > 0,
    long: false,
    big: random.below(2) > 0,
    granular: difficulty !== 'easy' && random.below(2) > 0,
  });
  const { base, privilege, present } = unpackSegment(hi, lo);
  return {
    question:
      `What does the segment descriptor 0x${formatHex(hi, lo).slice(2).padStart(16, '0')} say: kind, base, limit in ` +
      'bytes, privilege level, present or not?',
    given: [],
    answer: describeDescriptor(hi, lo),
    parts: [
      { label: 'code or data', value: (hi & CODE) === 0 ? 'data' : 'code' },
      { label: 'base', value: formatHex(0, base) },
      { label: 'limit in bytes', value: formatHex(0, limitOf(hi, lo)) },
      { label: 'privilege level', value: String(privilege) },
      { label: 'present, yes or no', value: present ? 'yes' : 'no' },
    ],
    reasoning: fieldLines(decodeEntry(SEGMENT_FORMAT, hi, lo), LINE_WIDTH),
  };
}

export const SEGMENTATION_KINDS: readonly ExerciseKind[] = [
  { topic: 'segmentation', kind: 'access', machine: 'x86', make: access },
  { topic: 'segmentation', kind: 'decode', machine: 'x86', make: decode },
];
