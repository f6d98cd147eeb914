/** The chapter's own pseudocode, run as written: where it loses memory or data, and the right rule beside it. */

import { toHex } from '../../../../hw/base/address.js';
import { ChapterPaging, PAGING_AS_WRITTEN, PAGING_RIGHT } from '../../chapter/paging.js';
import type { ChapterRules } from '../../chapter/paging.js';
import { ChapterSegments } from '../../chapter/segments.js';
import type { Lab, Story } from '../../story.js';
import { formatCount } from '../../../report/output/units.js';
import { claims } from '../../chapter/words.js';

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
  return { machine, read: machine.load(c, PAGE), problems, atFork };
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
    `after the second fork: ${lines(written.atFork)}`,
    `after both exits: ${lines(written.problems)}`,
    `A wrote ${SECRET} before the forks; somebody else gets the frame and writes ${INTRUDER}; C reads ${written.read}`,
    `nobody exits, but A writes and then B: B is taken for the only user, and C reads ${siblings(PAGING_AS_WRITTEN)}`,
  );
  story.on(right.machine);
  story.step(
    'Right: fork counts every present entry, whatever its rights.',
    `after both exits: ${lines(right.problems)}`,
    `C reads ${right.read}; after the writes of A and B it reads ${siblings(PAGING_RIGHT)}`,
  );
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
  const [key, label] = ['segments, as written', 'segments, right'];
  story.figure('bytesTakenAsWritten', `${key}: bytes for two processes`, written.taken);
  story.figure('bytesTakenByTheRightRule', `${label}: bytes for two processes`, right.taken);
  story.figure(
    'bytesLostAsWritten',
    `${key}: bytes still taken after both ended`,
    written.lost,
    claims('segment_ref_count[old_base]--', written.lost === 0, 'the count of the copy itself is never set'),
  );
  story.figure('bytesLostByTheRightRule', `${label}: bytes still taken`, right.lost, 0);
  story.figure('segmentCaughtByAudit', `${key}: found by the audit`, written.problems.length > 0, true);
  story.figure('segmentProblemsByTheRightRule', `${label}: problems found by the audit`, right.problems.length, 0);
}

interface Descendants {
  readonly atFork: readonly string[];
  readonly problems: readonly string[];
  /** C's reading at the end. */
  readonly read: number;
}

/** A forks B, B forks C; A and B exit, and somebody new gets the memory and writes. */
function segmentGenerations(right: boolean): Descendants {
  const machine = new ChapterSegments(right);
  const a = machine.spawn();
  machine.store(a, SECRET);
  const b = machine.fork(a);
  const c = machine.fork(b);
  const atFork = machine.audit();
  machine.exit(a);
  machine.exit(b);
  const problems = machine.audit();
  machine.store(machine.spawn(), INTRUDER);
  return { atFork, problems, read: machine.load(c) };
}

function uncountedSegments(story: Story): void {
  const written = segmentGenerations(false);
  const right = segmentGenerations(true);
  story.step(
    'As written, fork_segmented counts only descriptors that are writable. A forks B, B forks C: three descriptors lead to the segment, and two are counted. A and B exit: the segment is freed while C uses it.',
    `after the second fork: ${lines(written.atFork)}`,
    `after both exits: ${lines(written.problems)}`,
    `A wrote ${SECRET} before the forks; somebody else gets the memory and writes ${INTRUDER}; C reads ${written.read}`,
  );
  story.step(
    'Right: fork counts every descriptor, whatever its rights.',
    `after both exits: ${lines(right.problems)}`,
    `C reads ${right.read}`,
  );
  story.figure('segmentReadAsWritten', 'segments, as written: what C reads after A wrote 42', written.read, INTRUDER);
  story.figure('segmentReadByTheRightRule', 'segments, right: what C reads', right.read, SECRET);
  const wrong = written.atFork.length > 0;
  story.figure(
    'descriptorsUncounted',
    'segments, as written: the count misses a descriptor',
    wrong,
    claims(
      'if ste.present and ste.writable:',
      !wrong,
      'a descriptor write-protected by an earlier fork is not counted again',
    ),
    true,
  );
}

const KIB = 1024;
const CHILD = 7;

interface Copied {
  /** Physical address of the segment when the fault began, and after compaction. */
  readonly oldBase: number;
  readonly base: number;
  /** The byte beside the one written by the child. */
  readonly read: number;
}

/** No hole is large enough for a copy, so the write fault compacts, and the segment to be copied moves. */
function copyAfterCompaction(right: boolean): Copied {
  const machine = new ChapterSegments(right);
  const [below, , between] = [8, 8, 8].map((kib) => machine.spawn(kib * KIB));
  const parent = machine.spawn(16 * KIB);
  const gap = machine.spawn(8 * KIB);
  const neighbour = machine.spawn(8 * KIB);
  machine.store(parent, SECRET, 1);
  machine.store(neighbour, INTRUDER, 1);
  for (const gone of [below, between, gap]) machine.exit(gone);
  const child = machine.fork(parent);
  const oldBase = machine.baseOf(parent);
  machine.store(child, CHILD, 0);
  return { oldBase, base: machine.baseOf(parent), read: machine.load(child, 1) };
}

function staleBase(story: Story): void {
  const written = copyAfterCompaction(false);
  const right = copyAfterCompaction(true);
  story.step(
    'As written, the write fault reads old_base, finds no hole, compacts, and copies from old_base. Compaction has moved the segment: the copy gets what lies there now.',
    `the segment lay at ${toHex(written.oldBase)} and lies at ${toHex(written.base)} after compaction`,
    `parent wrote ${SECRET}, its neighbour ${INTRUDER}; the child reads ${written.read} in its copy`,
  );
  story.step('Right: the base is read again after compaction.', `the child reads ${right.read} in its copy`);
  const fresh = written.read === SECRET;
  story.figure(
    'copyAsWritten',
    "compaction, as written: what the child's copy has after the parent wrote 42",
    written.read,
    claims(
      'memcpy(new_base, old_base, segment_size)',
      fresh,
      'compaction moves the segment, and old_base stays as it was read',
    ),
    INTRUDER,
  );
  story.figure('copyByTheRightRule', "compaction, right: what the child's copy has", right.read, SECRET);
}

interface Moved {
  readonly problems: readonly string[];
  /** Bytes that stay taken when both have ended. */
  readonly lost: number;
}

/** Somebody exits, so that compaction moves the segment of a parent and its child. */
function compacted(right: boolean): Moved {
  const machine = new ChapterSegments(right);
  const below = machine.spawn(8 * KIB);
  const parent = machine.spawn(16 * KIB);
  const child = machine.fork(parent);
  machine.exit(below);
  const large = machine.spawn(48 * KIB);
  const problems = machine.audit();
  for (const process of [large, parent, child]) machine.exit(process);
  return { problems, lost: machine.arena.bytes - machine.arena.free };
}

function countsByBase(story: Story): void {
  const written = compacted(false);
  const right = compacted(true);
  story.step(
    'As written, segment_ref_count is kept by base. Compaction moves a segment, and its count stays behind.',
    `after compaction: ${lines(written.problems)}`,
    `after all have ended ${formatCount(written.lost)} bytes are still taken`,
  );
  story.step(
    'Right: the count belongs to the segment, wherever it lies.',
    `after compaction: ${lines(right.problems)}`,
    `after all have ended ${formatCount(right.lost)} bytes are taken`,
  );
  story.figure(
    'bytesLostByCompaction',
    'counts by base, as written: bytes still taken after all ended',
    written.lost,
    claims('segment_ref_count[ste.base]++', written.lost === 0, 'compaction moves a segment away from its count'),
  );
  story.figure('bytesLostWithoutBase', 'counts by segment, right: bytes still taken', right.lost, 0);
}

export const mistakes: Lab = {
  name: 'mistakes',
  title: "The chapter's pseudocode, run as written",
  run(story) {
    uncounted(story);
    sharedBecomesPrivate(story);
    segments(story);
    uncountedSegments(story);
    staleBase(story);
    countsByBase(story);
  },
};
