import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DIFFICULTIES, partsOf } from '../../../../src/quiz/exercise.js';
import type { Exercise } from '../../../../src/quiz/exercise.js';
import { makeExercises } from '../../../../src/quiz/quiz.js';
import { runs } from '../../../runs.js';

/** The numbers of the question, and the memory given. */
function read({ question, given }: Exercise): { numbers: bigint[]; memory: Map<bigint, bigint>; write: boolean } {
  const memory = new Map(given.map((line) => line.slice(3).split(/: +/).map(BigInt) as [bigint, bigint]));
  const numbers = [...question.matchAll(/0x[0-9a-f]+/g)].map(([text]) => BigInt(text));
  return { numbers, memory, write: question.includes('makes a write') };
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const index = (address: bigint, shift: number): bigint => (address >> BigInt(shift)) & 0x1ffn;

function sv39ByHand(exercise: Exercise): string {
  const { numbers, memory, write } = read(exercise);
  const [satp, address] = numbers;
  const fault = write ? 'store/AMO page fault, cause 15' : 'load page fault, cause 13';
  let table = (satp & 0xfff_ffff_ffffn) << 12n;
  for (const shift of [30, 21, 12]) {
    const entry = memory.get(table + index(address, shift) * 8n) ?? 0n;
    const [v, r, w, x, u] = [0n, 1n, 2n, 3n, 4n].map((bit) => ((entry >> bit) & 1n) === 1n);
    if (!v || (w && !r)) return fault;
    table = (entry >> 10n) << 12n;
    if (!r && !x) continue;
    return u && (write ? w : r) ? `0x${(table | (address & 0xfffn)).toString(16)}` : fault;
  }
  return fault;
}

function aarch64ByHand(exercise: Exercise): string {
  const { numbers, memory, write } = read(exercise);
  let [table] = numbers;
  const [, address] = numbers;
  for (const [level, shift] of [39, 30, 21, 12].entries()) {
    const entry = memory.get(table + index(address, shift) * 8n) ?? 0n;
    if ((entry & 1n) === 0n) return `translation fault, level ${level}`;
    table = entry & 0xffff_ffff_f000n;
    if (level < 3) continue;
    if ((entry & 2n) === 0n) return 'translation fault, level 3';
    if ((entry & 0x400n) === 0n) return 'access flag fault, level 3';
    const allowed = (entry & 0x40n) !== 0n && !(write && (entry & 0x80n) !== 0n);
    if (!allowed) return 'permission fault, level 3';
  }
  return `0x${(table | (address & 0xfffn)).toString(16)}`;
}

/** Walks the guest's tables, each address through the host's, and lists every entry read. */
function nestedByHand(exercise: Exercise): { reads: bigint[]; physical: bigint } {
  const { numbers, memory } = read(exercise);
  const [ept, cr3, address] = numbers;
  const reads: bigint[] = [];
  const at = (place: bigint): bigint => {
    reads.push(place);
    return memory.get(place)! & 0xf_ffff_ffff_f000n;
  };
  const host = (guest: bigint): bigint =>
    [39, 30, 21, 12].reduce((table, shift) => at(table + index(guest, shift) * 8n), ept) | (guest & 0xfffn);
  const wide = exercise.question.includes('4-level paging');
  const entries = wide
    ? [39, 30, 21, 12].map((shift) => index(address, shift) * 8n)
    : [22n, 12n].map((shift) => ((address >> shift) & 0x3ffn) * 4n);
  const page = entries.reduce((table, entry) => at(host(table + entry)), cr3);
  return { reads, physical: host(page | (address & 0xfffn)) };
}

/** The parts of the answer, from the numbers of the exercise alone. */
const BY_HAND: Readonly<Record<string, (exercise: Exercise) => string[]>> = {
  sv39: (exercise) => [sv39ByHand(exercise)],
  aarch64: (exercise) => [aarch64ByHand(exercise)],
  nested: (exercise) => {
    const { reads, physical } = nestedByHand(exercise);
    const number = Number(/number (\d+) of/.exec(exercise.question)![1]);
    return [String(reads.length), hex(reads[number - 1]), hex(physical)];
  },
};

test("walks of Sv39 and AArch64 and a guest's reads come out by hand as well, in number and place", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.constantFrom(...DIFFICULTIES), (seed, difficulty) => {
      for (const exercise of makeExercises('machines', seed, { difficulty })) {
        const found = exercise.kind === 'nested' ? partsOf(exercise).map(({ value }) => value) : [exercise.answer];
        expect([exercise.kind, ...found]).toEqual([exercise.kind, ...BY_HAND[exercise.kind](exercise)]);
      }
    }),
    { numRuns: runs(30) },
  );
});
