/** Where the chapter's pseudocode of segments loses memory or data, and the right rule beside it. */

import { toHex } from '../../../../hw/base/address.js';
import { formatCount } from '../../../report/output/units.js';
import type { ArenaDrawing, LabMapping } from '../../../report/results/lab-result.js';
import { ChapterSegments } from '../../chapter/segments.js';
import { claims } from '../../chapter/words.js';
import type { Story } from '../../story.js';

/** The byte of a process, and the one that somebody else writes. */
export const SECRET = 42;
export const INTRUDER = 99;
const RULES = ['as written', 'right'];

/** What an audit found, in a line. */
export function auditWords(problems: readonly string[]): string {
  return problems.length === 0 ? 'audit: nothing wrong' : `audit: ${problems.join('; ')}`;
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
  story.bars(
    'As written, the write fault of a segment always copies, also for the last owner, and never counts the copy.',
    ['taken', 'bytes'],
    [
      ['while both run', written.taken],
      ['after both have ended', written.lost],
    ],
    auditWords(written.problems),
  );
  story.table(
    'Right: the last owner re-uses the segment, and a copy begins with a count of 1.',
    {
      head: ['rule', 'bytes of two', 'left at the end'],
      rows: [written, right].map(({ taken, lost }, i) => [RULES[i], formatCount(taken), formatCount(lost)]),
      bars: [written.taken, right.taken],
    },
    auditWords(right.problems),
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
  readonly held: readonly LabMapping[];
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
  const d = machine.spawn();
  machine.store(d, INTRUDER);
  const held = [machine.mapping('C', c), machine.mapping('somebody else', d)];
  return { atFork, problems, read: machine.load(c), held };
}

function uncountedSegments(story: Story): void {
  const written = segmentGenerations(false);
  const right = segmentGenerations(true);
  story.step(
    'As written, fork_segmented counts only descriptors that are writable. A forks B, B forks C: three descriptors lead to the segment, and two are counted. A and B exit: the segment is freed while C uses it.',
    `after the second fork: ${auditWords(written.atFork)}`,
    `after both exits: ${auditWords(written.problems)}`,
    `A wrote ${SECRET} before the forks; somebody else gets the memory and writes ${INTRUDER}; C reads ${written.read}`,
  );
  story.maps(...written.held);
  story.step(
    'Right: fork counts every descriptor, whatever its rights.',
    `after both exits: ${auditWords(right.problems)}`,
    `C reads ${right.read}`,
  );
  story.maps(...right.held);
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
  /** Memory in the end. */
  readonly arena: ArenaDrawing;
}

/** No hole is large enough for a copy, so the write fault compacts, and the segment to be copied moves. */
function copyAfterCompaction(right: boolean): Copied {
  const machine = new ChapterSegments(right);
  const [below, other, between] = [8, 8, 8].map((kib) => machine.spawn(kib * KIB));
  const parent = machine.spawn(16 * KIB);
  const gap = machine.spawn(8 * KIB);
  const neighbour = machine.spawn(8 * KIB);
  machine.store(parent, SECRET, 1);
  machine.store(neighbour, INTRUDER, 1);
  for (const gone of [below, between, gap]) machine.exit(gone);
  const child = machine.fork(parent);
  const oldBase = machine.baseOf(parent);
  machine.store(child, CHILD, 0);
  const arena = machine.drawing([
    ['another', other],
    ['parent', parent],
    ['neighbour', neighbour],
    ["child's copy", child],
  ]);
  return { oldBase, base: machine.baseOf(parent), read: machine.load(child, 1), arena };
}

function staleBase(story: Story): void {
  const written = copyAfterCompaction(false);
  const right = copyAfterCompaction(true);
  story.draw(
    'As written, the write fault reads old_base, finds no hole, compacts, and copies from old_base. Compaction has moved the segment: the copy gets what lies there now.',
    written.arena,
    `the segment lay at ${toHex(written.oldBase)} and lies at ${toHex(written.base)} after compaction`,
    `parent wrote ${SECRET}, its neighbour ${INTRUDER}; the child reads ${written.read} in its copy`,
  );
  story.draw(
    'Right: the base is read again after compaction.',
    right.arena,
    `the child reads ${right.read} in its copy`,
  );
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
    `after compaction: ${auditWords(written.problems)}`,
    `after all have ended ${formatCount(written.lost)} bytes are still taken`,
  );
  story.bars(
    'Right: the count belongs to the segment, wherever it lies.',
    ['rule', 'bytes taken after all have ended'],
    [
      [RULES[0], written.lost],
      [RULES[1], right.lost],
    ],
    `after compaction: ${auditWords(right.problems)}`,
  );
  story.figure(
    'bytesLostByCompaction',
    'counts by base, as written: bytes still taken after all ended',
    written.lost,
    claims('segment_ref_count[ste.base]++', written.lost === 0, 'compaction moves a segment away from its count'),
  );
  story.figure('bytesLostWithoutBase', 'counts by segment, right: bytes still taken', right.lost, 0);
}

/** The part of the lab that is about segments. */
export function segmentMistakes(story: Story): void {
  segments(story);
  uncountedSegments(story);
  staleBase(story);
  countsByBase(story);
}
