/** The chapter's own pseudocode, run as written: the place of its loss of memory, and the right rule beside it. */

import { ChapterPaging, PAGING_AS_WRITTEN, PAGING_RIGHT } from '../../chapter/paging.js';
import type { ChapterRules } from '../../chapter/paging.js';
import { ChapterSegments } from '../../chapter/segments.js';
import type { Lab, Story } from '../../story.js';
import { formatCount } from '../../../report/output/units.js';

const PAGE = 1;
const SECRET = 42;
const INTRUDER = 99;

function lines(problems: readonly string[]): string {
  return problems.length === 0 ? 'audit: nothing wrong' : `audit: ${problems.join('; ')}`;
}

interface Generations {
  readonly machine: ChapterPaging;
  /** C's reading at the end. */
  readonly read: number;
  readonly problems: readonly string[];
  readonly atFork: readonly string[];
}

/** A forks B, B forks C; A and B exit, and somebody new gets a frame and writes. */
function generations(rules: ChapterRules): Generations {
  const machine = new ChapterPaging(rules);
  const a = machine.spawn();
  machine.map(a, PAGE, false);
  machine.store(a, PAGE, SECRET);
  const b = machine.fork(a);
  const c = machine.fork(b);
  const atFork = machine.audit();
  machine.exit(a);
  machine.exit(b);
  const problems = machine.audit();
  const d = machine.spawn();
  machine.map(d, PAGE, false);
  machine.store(d, PAGE, INTRUDER);
  return { machine, read: machine.load(c, PAGE), problems, atFork };
}

function uncounted(story: Story): void {
  const written = generations(PAGING_AS_WRITTEN);
  const right = generations(PAGING_RIGHT);
  story.on(written.machine);
  story.step(
    'As written, fork counts a frame only where the entry is writable. A forks B: the entries become read-only. B forks C: nothing is counted. A and B exit: the frame is freed while C uses it.',
    `after the second fork: ${lines(written.atFork)}`,
    `after both exits: ${lines(written.problems)}`,
    `C wrote ${SECRET} before; somebody else gets the frame and writes ${INTRUDER}; C reads ${written.read}`,
  );
  story.on(right.machine);
  story.step(
    'Right: fork counts every present entry, whatever its rights.',
    `after both exits: ${lines(right.problems)}`,
    `C reads ${right.read}`,
  );
  story.figure('readAsWritten', written.read, INTRUDER);
  story.figure('readByTheRightRule', right.read, SECRET);
  story.figure('liveFrameFreed', written.problems.length > 0, true);
  story.figure('problemsByTheRightRule', right.problems.length, 0);
}

interface SharedPage {
  readonly machine: ChapterPaging;
  /** B's reading after A's write. */
  readonly seen: number;
  readonly together: boolean;
  readonly problems: readonly string[];
}

/** A maps a page shared, forks B, and writes. */
function sharedPage(rules: ChapterRules): SharedPage {
  const machine = new ChapterPaging(rules);
  const a = machine.spawn();
  machine.map(a, PAGE, true);
  machine.store(a, PAGE, 1);
  const b = machine.fork(a);
  const problems = machine.audit();
  machine.store(a, PAGE, 2);
  const together = machine.frame(a, PAGE) === machine.frame(b, PAGE);
  return { machine, seen: machine.load(b, PAGE), together, problems };
}

function sharedBecomesPrivate(story: Story): void {
  const written = sharedPage(PAGING_AS_WRITTEN);
  const right = sharedPage(PAGING_RIGHT);
  story.on(written.machine);
  story.step(
    'As written, fork makes MAP_SHARED pages copy-on-write like all others: the first write ends the sharing.',
    lines(written.problems),
    `A writes 2, B reads ${written.seen}; one frame: ${written.together ? 'yes' : 'no'}`,
  );
  story.on(right.machine);
  story.step(
    'Right: what is shared on purpose stays writable and shared.',
    lines(right.problems),
    `A writes 2, B reads ${right.seen}; one frame: ${right.together ? 'yes' : 'no'}`,
  );
  story.figure('sharedSeenAsWritten', written.seen, 1);
  story.figure('sharedSeenByTheRightRule', right.seen, 2);
  story.figure('sharedCaughtByAudit', written.problems.length > 0 && right.problems.length === 0, true);
}

/** A forks B, both write, both exit. */
function segmentWrites(right: boolean): { taken: number; lost: number; problems: string[] } {
  const machine = new ChapterSegments(right);
  const a = machine.spawn();
  machine.store(a, 1);
  const b = machine.fork(a);
  machine.store(b, 2);
  machine.store(a, 3);
  const taken = machine.arena.bytes - machine.arena.free;
  const problems = machine.audit();
  machine.exit(a);
  machine.exit(b);
  return { taken, lost: machine.arena.bytes - machine.arena.free, problems };
}

function segments(story: Story): void {
  const written = segmentWrites(false);
  const right = segmentWrites(true);
  story.on(null);
  story.step(
    'As written, the write fault of a segment always copies, also for the last owner, and never counts the copy.',
    `two processes take ${formatCount(written.taken)} bytes`,
    lines(written.problems),
    `after both have ended ${formatCount(written.lost)} bytes are still taken`,
  );
  story.step(
    'Right: the last owner re-uses the segment, and a copy begins with a count of 1.',
    `two processes take ${formatCount(right.taken)} bytes; ${lines(right.problems)}`,
    `after both have ended ${formatCount(right.lost)} bytes are taken`,
  );
  story.figure('bytesTakenAsWritten', written.taken);
  story.figure('bytesTakenByTheRightRule', right.taken);
  story.figure('bytesLostAsWritten', written.lost);
  story.figure('bytesLostByTheRightRule', right.lost, 0);
  story.figure('segmentCaughtByAudit', written.problems.length > 0, true);
  story.figure('segmentProblemsByTheRightRule', right.problems.length, 0);
}

export const mistakes: Lab = {
  name: 'mistakes',
  title: "The chapter's pseudocode, run as written",
  run(story) {
    uncounted(story);
    sharedBecomesPrivate(story);
    segments(story);
  },
};
