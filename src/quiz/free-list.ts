/** malloc and free over a list of holes, by hand. */

import { z } from 'zod';
import type { Random } from '../../hw/base/random.js';
import { columns } from '../report/output/columns.js';
import { HOLE_ORDERS } from '../segments/arena/arena.js';
import { FreeList } from '../segments/arena/free-list.js';
import { between, pick } from './exercise.js';
import type { Difficulty, Posed } from './exercise.js';
import { givenKind } from './given.js';

const FITS = ['first', 'best', 'worst'] as const;
const ORDER_WORDS: Readonly<Record<(typeof HOLE_ORDERS)[number], string>> = {
  address: 'into the list by address',
  smallest: 'into the list and sort it by size, the smallest first',
  largest: 'into the list and sort it by size, the largest first',
  front: 'at the front of the list',
  back: 'at the back of the list',
};

const natural = z.int().min(0);
const Heap = z.strictObject({
  kind: z.literal('free-list'),
  fit: z.enum(FITS),
  order: z.enum(HOLE_ORDERS).default('address'),
  coalesce: z.boolean().default(false),
  header: natural.default(0),
  align: natural.min(1).default(1),
  holes: z
    .array(z.tuple([natural, natural.min(1)]))
    .min(1)
    .describe('address and size, in address order'),
  requests: z
    .array(z.string().regex(/^[+-]\d{1,6}$/, 'expected "+10" for a request of 10 bytes, or "-0" to free the first one'))
    .min(1)
    .max(100),
});
type Heap = z.infer<typeof Heap>;

const REQUESTS: Readonly<Record<Difficulty, number>> = { easy: 5, medium: 8, hard: 14 };

function draw(random: Random, difficulty: Difficulty): Heap {
  const requests: string[] = [];
  const live: number[] = [];
  let asked = 0;
  for (let i = 0; i < REQUESTS[difficulty]; i++) {
    if (live.length > 0 && random.below(2) === 0) requests.push(`-${live.splice(random.below(live.length), 1)[0]}`);
    else {
      requests.push(`+${between(random, 1, 10)}`);
      live.push(asked++);
    }
  }
  const heap: Heap = {
    kind: 'free-list',
    fit: pick(random, FITS),
    order: pick(random, ['address', 'smallest', 'front', 'back'] as const),
    coalesce: false,
    header: pick(random, [0, 4]),
    align: pick(random, [1, 4]),
    holes: [[1000, 100]],
    requests,
  };
  return { ...heap, requests: possibleRequests(heap) };
}

/** The requests, but for those to free a block that was not to be had. */
function possibleRequests(numbers: Heap): string[] {
  const heap = heapWith(numbers);
  const given: number[] = [];
  return numbers.requests.filter((request) => {
    const number = Number(request.slice(1));
    if (request.startsWith('-')) return heap.free(given[number]);
    given.push(heap.allocate(number).at);
    return true;
  });
}

/** A heap with these holes alone. @throws RangeError unless they lie in address order and apart */
function heapWith({ holes, fit, order, coalesce, header, align }: Heap): FreeList {
  const [base] = holes[0];
  const [last, size] = holes[holes.length - 1];
  const heap = new FreeList({ base, bytes: last + size - base, fit, order, coalesce, header, align });
  let used = base;
  for (const [number, [start, bytes]] of holes.entries()) {
    const gap = start - used;
    if (gap < 0) throw new RangeError(`holes.${number} ${start}: begins before ${used}, the end of the one before it`);
    if (gap > 0) heap.take(used, gap);
    used = start + bytes;
  }
  return heap;
}

function holeWords({ holes }: FreeList): string {
  return holes.length === 0 ? 'none' : holes.map(({ base, bytes }) => `${base}:${bytes}`).join(' ');
}

/** A row for each request: its size, its place, the holes after it. */
function play(heap: FreeList, requests: readonly string[]): readonly (readonly [string, string, string])[] {
  const given: number[] = [];
  return requests.map((request, i) => {
    const number = Number(request.slice(1));
    if (request.startsWith('+')) {
      if (number === 0) throw new RangeError(`requests.${i} ${request}: must ask for 1 byte at least`);
      const { at, searched } = heap.allocate(number);
      given.push(at);
      const got = at < 0 ? 'no hole is large enough' : `at ${at}`;
      return [`block ${given.length - 1} = alloc(${number})`, `${got}, ${searched} looked at`, holeWords(heap)];
    }
    if (!heap.free(given.at(number) ?? -1)) {
      throw new RangeError(`requests.${i} ${request}: block ${number} is not in use then; free one that is`);
    }
    return [`free(block ${number})`, '', holeWords(heap)];
  });
}

function pose(numbers: Heap): Posed {
  const { fit, order, coalesce, header, align, requests } = numbers;
  const heap = heapWith(numbers);
  const given = `holes, address:size  ${holeWords(heap)}`;
  const rows = play(heap, requests);
  const rounding = align === 1 ? '' : ` Sizes are rounded up to multiples of ${align}.`;
  const headers = header === 0 ? '' : ` A header of ${header} bytes stands before each block.`;
  return {
    question:
      `A heap is managed by ${fit} fit over a list of holes.${rounding}${headers} free puts a block ` +
      `${ORDER_WORDS[order]}; holes that touch ${coalesce ? 'become one if they follow each other in the list' : 'stay apart'}. ` +
      'What does each request get, and which holes are in the list in the end?',
    given: [given, ...rows.map(([request]) => request)],
    answer: `holes in the end: ${holeWords(heap)}`,
    parts: [{ label: 'holes in the end, as address:size', value: holeWords(heap) }],
    reasoning: columns(rows),
  };
}

export const FREE_LIST = givenKind('allocation', 'free-list', { schema: Heap, draw, pose });
