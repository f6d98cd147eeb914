/** A reference string over a few frames: the hits, and the page to give way at each miss. */

import { z } from 'zod';
import type { Random } from '../../hw/base/random.js';
import { REPLACEMENT_POLICIES, replacePages } from '../replacement/replacement.js';
import type { ReplacementPolicy, ReplacementStep } from '../replacement/replacement.js';
import { columns } from '../report/output/columns.js';
import { countOf } from '../report/output/units.js';
import { between, pick } from './exercise.js';
import type { Difficulty, Posed } from './exercise.js';
import { givenKind } from './given.js';

const RULES: Readonly<Record<ReplacementPolicy, string>> = {
  fifo: 'FIFO: the page that came first gives way',
  lru: 'LRU: the page used longest ago gives way',
  clock:
    'clock: each use, the first too, sets the use bit of the frame; the hand goes round from frame 0, clears set bits, ' +
    'takes the first frame with a clear one, and stands behind it then',
  optimal:
    'the optimal policy: the page used again last gives way; of several never used again, the one that came last',
  random: 'random replacement: pages stand in a row, the newest last, and the page to give way is drawn by its place',
};

const References = z.strictObject({
  kind: z.literal('references'),
  policy: z.enum(REPLACEMENT_POLICIES),
  frames: z.int().min(1).max(64),
  references: z.array(z.int().min(0)).min(1).max(1000),
  draws: z.array(z.int().min(0)).default([]).describe('random: the place of each page to give way, from 0'),
});
type References = z.infer<typeof References>;

/** References, the most frames, and the policies. */
const SIZES: Readonly<
  Record<Difficulty, readonly [length: number, most: number, policies: readonly ReplacementPolicy[]]>
> = {
  easy: [8, 3, ['fifo', 'lru']],
  medium: [12, 4, REPLACEMENT_POLICIES],
  hard: [20, 5, ['lru', 'clock', 'optimal']],
};

function draw(random: Random, difficulty: Difficulty): References {
  const [length, most, policies] = SIZES[difficulty];
  const frames = between(random, 3, most);
  const pages = between(random, frames + 1, frames + 4);
  const references = Array.from({ length }, () => random.below(pages));
  const draws = references.map(() => random.below(frames));
  return { kind: 'references', policy: pick(random, policies), frames, references, draws };
}

/** The steps of the exercise; with too few draws for `random` it has none. */
function play({ policy, frames, references, draws }: References): readonly ReplacementStep[] {
  let used = 0;
  const source = {
    unit: (): number => {
      const place = draws.at(used++);
      if (place !== undefined && place < frames) return (place + 0.5) / frames;
      const what = place === undefined ? `${draws.length} of them` : String(place);
      throw new RangeError(`draws: ${what}; give a place from 0 to ${frames - 1} for each page that gives way`);
    },
  };
  return replacePages(references, { policy, frames, source });
}

function pose(numbers: References): Posed {
  const { policy, frames, references, draws } = numbers;
  const steps = play(numbers);
  const hits = steps.filter(({ hit }) => hit).length;
  const needed = steps.filter(({ replaced }) => replaced !== null).length;
  const places = policy === 'random' ? [`places drawn: ${draws.slice(0, needed).join(' ')}`] : [];
  const rows = steps.map(({ page, hit, replaced, memory }, i) => [
    `${i + 1}.`,
    `page ${page}`,
    hit ? 'hit' : 'miss',
    replaced === null ? '' : `${replaced} gives way`,
    `memory ${memory.join(' ')}`,
  ]);
  return {
    question:
      `Memory has ${countOf(frames, 'frame')}, empty at first. A process refers to the pages below, in this order, ` +
      `under ${RULES[policy]}. Which references hit, which page gives way at each miss, and how many hits and misses ` +
      'are there?',
    given: [references.join(' '), ...places],
    answer: `${countOf(hits, 'hit')}, ${countOf(steps.length - hits, 'miss', 'misses')}`,
    parts: [
      { label: 'hits', value: String(hits) },
      { label: 'misses', value: String(steps.length - hits) },
    ],
    reasoning: columns(rows),
  };
}

export const REFERENCES = givenKind('replacement', 'references', { schema: References, draw, pose });
