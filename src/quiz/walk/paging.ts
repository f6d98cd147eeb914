/** Translate this address; decode this entry. */

import { formatHex, fromBigInt } from '../../../hw/base/address.js';
import { decodeEntry, flagNames } from '../../../hw/base/format.js';
import { PTE_P, PTE_RW, PTE_US, X86_MODES } from '../../../hw/x86/format.js';
import type { Random } from '../../../hw/base/random.js';
import { CR0_PE, CR0_PG, CR0_WP, CR4_PAE, CR4_PSE, EFER_LME, EFER_NXE } from '../../../hw/x86/registers.js';
import { columns } from '../../report/output/columns.js';
import { buildMachine } from '../../explain/machine.js';
import { parseState } from '../../explain/machine-state.js';
import { hexOf } from '../../explain/table-writer.js';
import { PageTableWriter } from '../../explain/walk/page-tables.js';
import { STATE_VERSION } from '../../explain/state-form.js';
import { explainWalk } from '../../explain/walk/walk.js';
import type { WalkResult } from '../../explain/walk/walk-result.js';
import { walkText } from '../../explain/walk/walk-text.js';
import { between, outcomeParts, pick } from '../exercise.js';
import type { Difficulty, ExerciseKind, Posed } from '../exercise.js';
import { MEMORY, memoryLines, walkLines } from './walk-parts.js';

/** Bits of the page's own entry: easy exercises map, others fault the more often the harder they are. */
const ENDINGS: Readonly<Record<Difficulty, readonly number[]>> = {
  easy: [PTE_P | PTE_US | PTE_RW],
  medium: [PTE_P | PTE_US | PTE_RW, PTE_P | PTE_US | PTE_RW, PTE_P | PTE_US, PTE_P | PTE_RW, PTE_US | PTE_RW],
  hard: [PTE_P | PTE_US | PTE_RW, PTE_P | PTE_US, PTE_P | PTE_RW, PTE_US | PTE_RW],
};
/** Two levels are easier than four. */
const MODES: Readonly<Record<Difficulty, readonly ('32' | '4l')[]>> = {
  easy: ['32'],
  medium: ['32', '4l'],
  hard: ['4l'],
};

/** A page number below 2^47 and an offset, as one address. */
function randomLinear(random: Random, mode: '32' | '4l'): bigint {
  const low = BigInt(random.nextInt32() >>> 0);
  return mode === '32' ? low : (BigInt(random.below(2 ** 15)) << 32n) | low;
}

function registersFor(mode: '32' | '4l', cr3: bigint): object {
  return {
    cr0: formatHex(0, CR0_PE | CR0_WP | CR0_PG),
    cr3: hexOf(cr3),
    cr4: formatHex(0, mode === '32' ? CR4_PSE : CR4_PAE),
    efer: formatHex(0, mode === '32' ? 0 : EFER_LME | EFER_NXE),
  };
}

/** Tables for the address, and for neighbours of it to choose from. */
function tablesFor(random: Random, mode: '32' | '4l', linear: bigint, endings: readonly number[]): PageTableWriter {
  const tables = new PageTableWriter(mode, BigInt(between(random, 1, 255)) << 12n);
  const page = linear & ~0xfffn;
  const frame = (): bigint => BigInt(between(random, 1024, 4095)) << 12n;
  tables.map(page ^ 0x1000n, frame(), PTE_P | PTE_US | PTE_RW);
  tables.map(page ^ 0x3000n, frame(), PTE_P | PTE_US);
  tables.map(page, frame(), pick(random, endings));
  return tables;
}

function translate(random: Random, difficulty: Difficulty): Posed {
  const mode = pick(random, MODES[difficulty]);
  const linear = randomLinear(random, mode);
  const tables = tablesFor(random, mode, linear, ENDINGS[difficulty]);
  const access = pick(random, ['read', 'write'] as const);
  const registers = registersFor(mode, tables.root);
  const state = parseState({ schemaVersion: STATE_VERSION, tlb: 'none', registers, memory: tables.memory });
  const { mmu } = buildMachine(state);
  const result = explainWalk(mmu, { ...fromBigInt(linear), access, user: true });
  return {
    question:
      `${X86_MODES[mode].title}, CR3 = ${hexOf(tables.root)}, no TLB. A program in user mode makes a ${access} at ` +
      `${hexOf(linear)}. Which physical address does it reach, or which exception with which error code? ${MEMORY}`,
    given: memoryLines(tables.memory),
    answer: outcomeWords(result),
    parts: outcomeParts('physical address', outcomeOf(result)),
    reasoning: walkLines(walkText, result),
  };
}

function outcomeOf({ outcome }: WalkResult): string | { name: string; code: string } {
  if (outcome.kind === 'mapped') return outcome.physical;
  return { name: outcome.name, code: `0x${(outcome.errorCode ?? 0).toString(16)}` };
}

function outcomeWords(result: WalkResult): string {
  const outcome = outcomeOf(result);
  return typeof outcome === 'string' ? outcome : `${outcome.name}, error code ${outcome.code}`;
}

/** Random bits for a present entry; reserved ones stay 0. */
function decode(random: Random, difficulty: Difficulty): Posed {
  const mode = pick(random, MODES[difficulty]);
  const level = pick(random, X86_MODES[mode].levels);
  const formats = [level.tableEntry, level.pageEntry].filter((format) => format !== undefined);
  const format = pick(random, formats);
  let value = 0n;
  for (const field of format.fields) {
    const width = BigInt(field.high - field.low + 1);
    const bits = BigInt.asUintN(Number(width), BigInt(random.nextInt32() >>> 0));
    value |= fieldBits(field.name, bits, format === level.pageEntry, level.level > 0) << BigInt(field.low);
  }
  const { hi, lo } = fromBigInt(value);
  const fields = decodeEntry(format, hi, lo);
  const frame = fields.find(({ name }) => name === 'frame');
  const base = BigInt(frame?.value ?? 0) << BigInt(frame?.low ?? 0);
  const above = BigInt(fields.find(({ name }) => name === 'frame high')?.value ?? 0) << 32n;
  const isPage = format === level.pageEntry;
  return {
    question:
      `${X86_MODES[mode].title}: an entry of the ${level.table} is 0x${value.toString(16)}. ` +
      'Does it point to a table or map a page, where does that lie, and which one-bit flags are set?',
    given: [],
    answer: `${isPage ? 'a page' : 'a table'} at ${hexOf(base | above)}; flags ${flagNames(format, hi, lo)}`,
    parts: [
      { label: 'table or page', value: isPage ? 'page' : 'table' },
      { label: 'its address', value: hexOf(base | above) },
      { label: 'flags that are set', value: flagNames(format, hi, lo) },
    ],
    reasoning: columns(
      fields.map(({ name, low, high, value: bits, meaning }) => [
        name,
        high === low ? `bit ${low}` : `bits ${high}:${low}`,
        `0x${bits.toString(16)}`,
        meaning.split(/;|: /)[0],
      ]),
    ),
  };
}

/** The bits of one field: P is set, PS is the format's, reserved ones stay 0, addresses below 2^32. */
function fieldBits(name: string, bits: bigint, isPage: boolean, mayBeLarge: boolean): bigint {
  if (name === 'P') return 1n;
  if (name === 'PS') return isPage && mayBeLarge ? 1n : 0n;
  if (name === 'reserved' || name === 'ignored' || name === 'PK' || name === 'frame high') return 0n;
  return name === 'frame' ? bits & 0xffffn : bits;
}

export const PAGING_KINDS: readonly ExerciseKind[] = [
  { topic: 'paging', kind: 'translate', machine: 'x86', make: translate },
  { topic: 'paging', kind: 'decode', machine: 'x86', make: decode },
];
