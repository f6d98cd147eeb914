/** Translate by hand, on machines small enough for it. */

import type { Random } from '../../../hw/base/random.js';
import { columns } from '../../report/output/columns.js';
import { dumpToy } from '../../explain/toy/toy-dump.js';
import { STATE_VERSION } from '../../explain/state-form.js';
import { buildToy, parseToyState } from '../../explain/toy/toy-state.js';
import type { ToyStateInput } from '../../explain/toy/toy-state.js';
import { explainToyWalk } from '../../explain/toy/toy-walk.js';
import type { ToyWalkResult } from '../../explain/toy/toy-walk.js';
import { between, listed, pick } from '../exercise.js';
import type { Difficulty, ExerciseKind, Posed } from '../exercise.js';

/** Entries of a byte: bit 7 valid, the rest the frame. */
const ENTRY = { bytes: 1, valid: 7, frame: [4, 0] } as const;
const FRAME_BITS = 5;

interface Drawn {
  readonly state: ToyStateInput;
  /** A virtual address: most are mapped. */
  readonly address: number;
}

/** A number not drawn before. */
function fresh(random: Random, taken: Set<number>, limit: number): number {
  for (;;) {
    const number = random.below(limit);
    if (taken.has(number)) continue;
    taken.add(number);
    return number;
  }
}

/** Tables of one or two levels with some pages, in frames apart from each other. */
function drawPages(
  random: Random,
  levels: readonly number[],
): Drawn & { readonly pages: readonly (readonly [page: number, frame: number])[] } {
  const pageBytes = pick(random, [16, 32, 64]);
  const shift = Math.log2(pageBytes);
  const bits = levels.reduce((sum, width) => sum + width, 0);
  const frames = new Set<number>();
  const root = fresh(random, frames, 2 ** FRAME_BITS);
  const bytes = new Map<number, number>();
  const tables = new Map<number, number>();
  const pages = Array.from({ length: 5 }, (): readonly [number, number] => {
    const page = random.below(2 ** bits);
    const frame = fresh(random, frames, 2 ** FRAME_BITS);
    const last = 2 ** levels[levels.length - 1];
    const upper = Math.floor(page / last);
    let table = root;
    if (levels.length === 2) {
      table = tables.get(upper) ?? fresh(random, frames, 2 ** FRAME_BITS);
      tables.set(upper, table);
      bytes.set(root * pageBytes + upper, 0x80 | table);
    }
    bytes.set(table * pageBytes + (page % last), 0x80 | frame);
    return [page, frame];
  });
  const live = new Map(pages);
  const page = random.below(5) === 0 ? random.below(2 ** bits) : pick(random, [...live.keys()]);
  const address = page * pageBytes + random.below(pageBytes);
  for (const frame of live.values()) bytes.set(frame * pageBytes + (address % pageBytes), between(random, 1, 255));
  const state: ToyStateInput = {
    schemaVersion: STATE_VERSION,
    virtualBits: bits + shift,
    physicalBits: FRAME_BITS + shift,
    pages: { bytes: pageBytes, root: root * pageBytes, levels: [...levels], entry: ENTRY },
    memory: [...bytes].map(([at, byte]) => ({ at, words: [byte], wordBytes: 1 })),
  };
  return { state, address, pages: [...live] };
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Asked for in every exercise. */
const PLACE = 'physical address, or fault';

/** The exercise about one read; `facts` come before the memory. */
function pose({ state, address }: Drawn, words: string, facts: readonly string[]): Posed {
  const parsed = parseToyState(state);
  const dump = dumpToy(buildToy(parsed), '');
  const { result } = explainToyWalk(buildToy(parsed), '', { address, access: 'read', user: false });
  const { outcome, tlb } = result;
  const memory = dump.memory.map(({ at, bytes }) => [at, bytes]);
  const rest = memory.length > 0 ? ' Bytes of memory that are not listed are 0.' : '';
  return {
    question:
      `Virtual addresses have ${dump.virtualBits} bits, physical ones ${dump.physicalBits}. ${words} A program reads ` +
      `${hex(address)}. Which physical address is that, or why is it a fault?${rest}`,
    given: [...facts, ...columns(memory)],
    answer: `${tlb === null ? '' : `a ${tlb.answer}; `}${outcomeWords(outcome, memory.length > 0)}`,
    parts: [
      ...(tlb === null ? [] : [{ label: 'hit or miss', value: tlb.answer }]),
      outcome.kind === 'fault'
        ? { label: PLACE, value: outcome.name, also: ['fault'] }
        : { label: PLACE, value: outcome.physical },
    ],
    reasoning: numbered(result.steps),
  };
}

function outcomeWords(outcome: ToyWalkResult['outcome'], withByte: boolean): string {
  if (outcome.kind === 'fault') return `${outcome.name}: ${outcome.why}`;
  return withByte ? `${outcome.physical}, the byte there is ${outcome.value}` : outcome.physical;
}

function numbered(steps: readonly string[]): string[] {
  return steps.map((step, i) => `${i + 1}. ${step}`);
}

function pagingWords({ pages }: ToyStateInput): string {
  const [{ bytes, root, levels = [] }] = [pages ?? { bytes: 0, root: 0 }];
  const shape =
    levels.length === 1
      ? `The page table begins at ${hex(Number(root))}.`
      : `The page directory begins at ${hex(Number(root))}, and the address has ${listed(levels.map(String))} bits for its ` +
        'index and that of the page table.';
  return `Pages have ${bytes} bytes. ${shape} An entry is a byte: bit 7 valid, bits 4 to 0 the frame.`;
}

/** Bits of the indices: one level is easier than two. */
const LEVELS: Readonly<Record<Difficulty, readonly (readonly number[])[]>> = {
  easy: [[3], [4]],
  medium: [[3], [4], [2, 2], [3, 2], [3, 3]],
  hard: [
    [3, 2],
    [3, 3],
  ],
};

function translate(random: Random, difficulty: Difficulty): Posed {
  const drawn = drawPages(random, pick(random, LEVELS[difficulty]));
  return pose(drawn, pagingWords(drawn.state), []);
}

/** Some of the pages are in the TLB, too. */
function withTlb(random: Random, difficulty: Difficulty): Posed {
  const { state, address, pages } = drawPages(random, { easy: [3], medium: [4], hard: [3, 2] }[difficulty]);
  const sets = pick(random, [2, 4]);
  const held = pages.filter(() => random.below(2) === 0);
  const entries = held.map(([page, frame]) => ({ page, frame }));
  const shown = held.map(([page, frame]) => [hex(page % sets), hex(Math.floor(page / sets)), hex(frame)]);
  const words =
    `${pagingWords(state)} A TLB of ${sets} sets holds the entries below; a page belongs to set ` +
    `page mod ${sets}. Does the TLB hit?`;
  return pose(
    { state: { ...state, tlb: { sets, ways: 8, entries } }, address },
    words,
    columns([['set', 'tag', 'frame'], ...shown]),
  );
}

/** Two or four segments, the last one growing down. */
function segments(random: Random, difficulty: Difficulty): Posed {
  const [least, most] = { easy: [1, 1], medium: [1, 2], hard: [2, 2] }[difficulty];
  const bits = between(random, least, most);
  const size = 2 ** between(random, 6, 8);
  const count = 2 ** bits;
  const registers = Array.from({ length: count }, (_, number) => ({
    base: between(random, number * 2 + 1, number * 2 + 2) * size,
    limit: between(random, size / 4, (3 * size) / 4),
    grows: number === count - 1 ? ('down' as const) : ('up' as const),
  }));
  const virtualBits = bits + Math.log2(size);
  const state: ToyStateInput = {
    schemaVersion: STATE_VERSION,
    virtualBits,
    physicalBits: virtualBits + 2,
    segments: { bits, registers },
  };
  const rows = registers.map(({ base, limit, grows }, number) => [String(number), hex(base), String(limit), grows]);
  const which = bits === 1 ? 'The top bit chooses' : 'The top two bits choose';
  return pose(
    { state, address: random.below(2 ** virtualBits) },
    `${which} one of ${count} segments; limits are in bytes, and a segment that grows down ends before its base.`,
    columns([['segment', 'base', 'limit', 'grows'], ...rows]),
  );
}

export const TOY_KINDS: readonly ExerciseKind[] = [
  { topic: 'toy', kind: 'translate', machine: 'toy', make: translate },
  { topic: 'toy', kind: 'tlb', machine: 'toy', make: withTlb },
  { topic: 'toy', kind: 'segments', machine: 'toy', make: segments },
];
