/** The chapter's own pseudocode, run as written: where it loses memory or data, and the right rule beside it. */

import { ChapterPaging, PAGING_AS_WRITTEN, PAGING_RIGHT } from '../../chapter/paging.js';
import type { ChapterRules } from '../../chapter/paging.js';
import type { LabMapping } from '../../../report/results/lab-result.js';
import type { Lab, Story } from '../../story.js';
import { auditWords, INTRUDER, SECRET, segmentMistakes } from './segment-mistakes.js';
import { claims } from '../../chapter/words.js';

const PAGE = 1;
interface Generations {
  readonly machine: ChapterPaging;
  /** Who has which page at the end. */
  readonly held: readonly LabMapping[];
  /** C's reading at the end. */
  readonly read: number;
  readonly problems: readonly string[];
  readonly atFork: readonly string[];
}

/** A has a page with the secret and forks B, and B forks C. */
function grandchildren(rules: ChapterRules): { machine: ChapterPaging; a: number; b: number; c: number } {
  const machine = new ChapterPaging(rules);
  const a = machine.spawn();
  machine.map(a, PAGE, false);
  machine.store(a, PAGE, SECRET);
  const b = machine.fork(a);
  const c = machine.fork(b);
  return { machine, a, b, c };
}

/** A forks B, B forks C; A and B exit, and somebody new gets a frame and writes. */
function generations(rules: ChapterRules): Generations {
  const { machine, a, b, c } = grandchildren(rules);
  const atFork = machine.audit();
  machine.exit(a);
  machine.exit(b);
  const problems = machine.audit();
  const d = machine.spawn();
  machine.map(d, PAGE, false);
  machine.store(d, PAGE, INTRUDER);
  const held = [machine.mapping('C', c, PAGE), machine.mapping('somebody else', d, PAGE)];
  return { machine, held, read: machine.load(c, PAGE), problems, atFork };
}

/** A forks B, B forks C; A writes, and then B: C's reading. */
function siblings(rules: ChapterRules): number {
  const { machine, a, b, c } = grandchildren(rules);
  machine.store(a, PAGE, 1);
  machine.store(b, PAGE, INTRUDER);
  return machine.load(c, PAGE);
}

function uncounted(story: Story): void {
  const written = generations(PAGING_AS_WRITTEN);
  const right = generations(PAGING_RIGHT);
  story.on(written.machine);
  story.step(
    'As written, fork counts a frame only where the entry is writable. A forks B: the entries become read-only. B forks C: nothing is counted. A and B exit: the frame is freed while C uses it.',
    `after the second fork: ${auditWords(written.atFork)}`,
    `after both exits: ${auditWords(written.problems)}`,
    `A wrote ${SECRET} before the forks; somebody else gets the frame and writes ${INTRUDER}; C reads ${written.read}`,
    `nobody exits, but A writes and then B: B is taken for the only user, and C reads ${siblings(PAGING_AS_WRITTEN)}`,
  );
  story.maps(...written.held);
  story.on(right.machine);
  story.step(
    'Right: fork counts every present entry, whatever its rights.',
    `after both exits: ${auditWords(right.problems)}`,
    `C reads ${right.read}; after the writes of A and B it reads ${siblings(PAGING_RIGHT)}`,
  );
  story.maps(...right.held);
  story.figure('readAsWritten', 'pages, as written: what C reads after A wrote 42', written.read, INTRUDER);
  story.figure('readByTheRightRule', 'pages, right: what C reads', right.read, SECRET);
  const freed = written.problems.length > 0;
  story.figure(
    'liveFrameFreed',
    'pages, as written: a frame in use is freed',
    freed,
    claims(
      'if pte.present and pte.writable:',
      !freed,
      'a page write-protected by an earlier fork is not counted again',
    ),
    true,
  );
  const seen = siblings(PAGING_AS_WRITTEN);
  story.figure(
    'siblingReadAsWritten',
    'pages, as written: what C reads after B wrote 99, and nobody has ended',
    seen,
    claims("We're the only user - no copy needed!", seen === SECRET, 'of three users two were counted'),
    INTRUDER,
  );
  story.figure('problemsByTheRightRule', 'pages, right: problems found by the audit', right.problems.length, 0);
}

interface SharedPage {
  readonly machine: ChapterPaging;
  readonly held: readonly LabMapping[];
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
  const held = [machine.mapping('A', a, PAGE), machine.mapping('B', b, PAGE)];
  return { machine, held, seen: machine.load(b, PAGE), together, problems };
}

function sharedBecomesPrivate(story: Story): void {
  const written = sharedPage(PAGING_AS_WRITTEN);
  const right = sharedPage(PAGING_RIGHT);
  story.on(written.machine);
  story.step(
    'As written, fork makes MAP_SHARED pages copy-on-write like all others: the first write ends the sharing.',
    auditWords(written.problems),
    `A writes 2, B reads ${written.seen}; one frame: ${written.together ? 'yes' : 'no'}`,
  );
  story.maps(...written.held);
  story.on(right.machine);
  story.step(
    'Right: what is shared on purpose stays writable and shared.',
    auditWords(right.problems),
    `A writes 2, B reads ${right.seen}; one frame: ${right.together ? 'yes' : 'no'}`,
  );
  story.maps(...right.held);
  story.figure(
    'sharedSeenAsWritten',
    'MAP_SHARED, as written: what B reads after A wrote 2',
    written.seen,
    claims(
      'pte.cow_flag = true // Mark as copy-on-write',
      written.seen === 2,
      'a page shared on purpose is marked like all others',
    ),
    1,
  );
  story.figure('sharedSeenByTheRightRule', 'MAP_SHARED, right: what B reads', right.seen, 2);
  const caught = written.problems.length > 0 && right.problems.length === 0;
  story.figure('sharedCaughtByAudit', 'MAP_SHARED, as written: found by the audit', caught, true);
}

export const mistakes: Lab = {
  name: 'mistakes',
  title: "The chapter's pseudocode, run as written",
  run(story) {
    uncounted(story);
    sharedBecomesPrivate(story);
    segmentMistakes(story);
  },
};
