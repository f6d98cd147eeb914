/** The hole taken by each fit; the block given by the buddy system. */

import { formatHex, PAGE_BYTES } from '../../hw/base/address.js';
import type { Random } from '../../hw/base/random.js';
import { columns } from '../report/output/columns.js';
import { formatBytes } from '../report/output/units.js';
import { HoleArena } from '../segments/arena/arena.js';
import type { Arena, Fit } from '../segments/arena/arena.js';
import { BuddyArena } from '../segments/arena/buddy-arena.js';
import { between, listed } from './exercise.js';
import type { Difficulty, ExerciseKind, Posed } from './exercise.js';

const KIB = 1024;
const RULES: Readonly<Record<Fit, string>> = {
  first: 'the first hole that is large enough',
  next: 'the first one from where the last request was cut',
  best: 'the smallest one that is large enough',
  worst: 'the largest one',
};

/** Segments in want of room, and their number in words. */
const REQUESTS: Readonly<Record<Difficulty, number>> = { easy: 2, medium: 3, hard: 4 };
const COUNTS: Readonly<Record<number, string>> = { 2: 'Two', 3: 'Three', 4: 'Four' };

interface Hole {
  readonly base: number;
  readonly bytes: number;
}

/** Holes with something in use between them, sizes in whole KiB. */
function randomHoles(random: Random): Hole[] {
  const holes: Hole[] = [];
  let base = 0;
  for (let i = between(random, 4, 6); i > 0; i--) {
    base += between(random, 4, 40) * KIB;
    const bytes = between(random, 4, 40) * KIB;
    holes.push({ base, bytes });
    base += bytes;
  }
  return holes;
}

/** An arena with just these holes free. */
function arenaWith(holes: readonly Hole[], fit: Fit): HoleArena {
  const end = Math.max(...holes.map(({ base, bytes }) => base + bytes));
  const arena = new HoleArena(0, end, fit);
  let used = 0;
  for (const { base, bytes } of holes) {
    arena.take(used, base - used);
    used = base + bytes;
  }
  return arena;
}

function place(arena: Arena, bytes: number): string {
  const base = arena.allocate(arena.roomFor(bytes));
  return base < 0 ? 'no hole is large enough' : formatHex(0, base);
}

function holeLine({ base, bytes }: Hole): string[] {
  return [formatHex(0, base), formatBytes(bytes)];
}

function fits(random: Random, difficulty: Difficulty): Posed {
  const holes = randomHoles(random);
  // The first is often too large for the lowest holes, so next fit passes them by.
  const requests = Array.from({ length: REQUESTS[difficulty] }, (_, i) =>
    i === 0 ? between(random, 16, 36) : between(random, 2, 12),
  ).map((kib) => kib * KIB);
  const names: Fit[] = ['first', 'next', 'best', 'worst'];
  const answers = names.map((fit) => {
    const arena = arenaWith(holes, fit);
    return { fit, places: requests.map((bytes) => place(arena, bytes)), left: arena.holes };
  });
  return {
    question:
      `${COUNTS[requests.length]} segments of ${listed(requests.map(formatBytes))} want room, in this order. The holes are given by ` +
      'address and size. Where does each of first, next, best and worst fit put them? (Next fit begins at the bottom.)',
    given: columns(holes.map(holeLine)),
    answer: answers.map(({ fit, places }) => `${fit} fit: ${listed(places)}`).join('; '),
    parts: answers.flatMap(({ fit, places }) =>
      places.map((value, i) => ({
        label: `${fit} fit, segment ${i + 1} (${formatBytes(requests[i])})`,
        value,
        also: value.startsWith('0x') ? [] : ['none', 'no', 'nowhere'],
      })),
    ),
    reasoning: answers.map(({ fit, left }) => {
      const rest = left.map(({ base, bytes }) => `${formatHex(0, base)} ${formatBytes(bytes)}`).join(', ');
      return `${fit} fit takes ${RULES[fit]}; holes left: ${rest}`;
    }),
  };
}

function buddy(random: Random, difficulty: Difficulty): Posed {
  const bytes = 256 * KIB;
  const arena = new BuddyArena(bytes, bytes);
  const requests = Array.from({ length: REQUESTS[difficulty] }, () => between(random, 1, 60) * KIB);
  const reasoning = requests.map((request) => {
    const room = arena.roomFor(request);
    const where = place(arena, request);
    return `${formatBytes(request)} gets ${formatBytes(room)} at ${where}: ${formatBytes(room - request)} inside are wasted`;
  });
  const wasted = requests.reduce((sum, request) => sum + arena.roomFor(request) - request, 0);
  return {
    question:
      `A buddy system over ${formatBytes(bytes)} gives blocks of a power of two, ${formatBytes(PAGE_BYTES)} at least. ` +
      `Segments of ${listed(requests.map(formatBytes))} ask for room. How much is wasted inside of the blocks, and how ` +
      'much is free in the end?',
    given: [],
    answer: `${formatBytes(wasted)} wasted inside, ${formatBytes(arena.free)} free`,
    parts: [
      { label: 'wasted inside', value: formatBytes(wasted) },
      { label: 'free in the end', value: formatBytes(arena.free) },
    ],
    reasoning,
  };
}

export const ALLOCATION_KINDS: readonly ExerciseKind[] = [
  { topic: 'allocation', kind: 'fits', make: fits },
  { topic: 'allocation', kind: 'buddy', make: buddy },
];
