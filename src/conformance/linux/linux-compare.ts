/** Replaying one recorded program and comparing it, op by op and page by page. */

import type { LinuxProgram, OperationValue, RecordedCheckpoint, RecordedResult } from './linux-case.js';
import { COLUMN_NAMES, currentViews, recordedViews } from './linux-checkpoint.js';
import type { Column, ProcessView, VmaView } from './linux-checkpoint.js';
import type { LinuxMachine } from './linux-machine.js';

/**
 * The compared things: results of ops; pages and columns of smaps at checkpoints; boundaries and flags of VMAs there.
 */
export const CLASSES = ['values', 'pages', 'vmas'] as const;
export type ComparisonClass = (typeof CLASSES)[number];

/** The first difference of one class in a program. */
interface Difference {
  /** Position of the op, counted from 0. */
  readonly at: number;
  /** Recorded and found, in words. */
  readonly text: string;
}

export type ProgramDifferences = Partial<Record<ComparisonClass, Difference>>;

/** Runs the program and returns the first difference of each class; an empty object when there is none. */
export function compareProgram(machine: LinuxMachine, program: LinuxProgram): ProgramDifferences {
  const found: ProgramDifferences = {};
  machine.begin(program);
  for (const [at, operation] of program.ops.entries()) {
    const recorded = program.res[at];
    if (operation[1] === 'ck') {
      const views = [recordedViews(recorded as RecordedCheckpoint), currentViews(machine)];
      compareCheckpoint(found, at, views.map(reproducible(program.fam)));
      machine.afterCheckpoint();
      continue;
    }
    const result = machine.run(operation);
    if (!sameValue(program, recorded, result)) {
      found.values ??= { at, text: `recorded ${JSON.stringify(recorded)}, got ${JSON.stringify(result)}` };
    }
  }
  const problem = machine.problems().at(0);
  if (problem !== undefined) found.values ??= { at: program.ops.length - 1, text: `afterwards: ${problem}` };
  return found;
}

/** The reliable parts of a family's checkpoints. */
function reproducible(family: string): (views: readonly ProcessView[]) => readonly ProcessView[] {
  if (family === 'ext4') return withoutCache;
  if (family !== 'thp') return (views) => views;
  // The used parts of a huge page do not reproduce.
  return (views) => views.map((view) => ({ ...view, vmas: view.vmas.map((vma) => ({ ...vma, referenced: null })) }));
}

/** On a disk file, faults depend on read-ahead: there only the byte, the error or the signal counts. */
function sameValue(program: LinuxProgram, recorded: RecordedResult, result: OperationValue): boolean {
  const onDisk = program.fam === 'ext4';
  return JSON.stringify(onDisk ? plain(recorded) : recorded) === JSON.stringify(onDisk ? plain(result) : result);
}

function plain(value: RecordedResult): unknown {
  return Array.isArray(value) ? value[0] : value;
}

/** The recorder's file on a disk. */
const DISK_FILE = 'f4';

/** Read-ahead places a disk file's own pages: of the frames, only those made by processes are left. */
function withoutCache(views: readonly ProcessView[]): ProcessView[] {
  const frames = new Map<string, number>();
  return views.map((view) => {
    const pages = new Map<number, string>();
    for (const [page, text] of view.pages) {
      const [, number, flags] = /^(\d*)(.*)$/.exec(text) ?? [];
      if (flags.includes('f')) continue;
      if (!frames.has(number)) frames.set(number, frames.size);
      pages.set(page, number === '' ? flags : `${frames.get(number) ?? 0}${flags}`);
    }
    const vmas = view.vmas.map(withoutWriteBack);
    return { ...view, vmas, pages };
  });
}

/** Whether a disk file's pages are dirty depends on write-back: they all count as clean. */
function withoutWriteBack(vma: VmaView): VmaView {
  if (vma.object !== DISK_FILE) return vma;
  return {
    ...vma,
    sharedClean: sum(vma.sharedClean, vma.sharedDirty),
    sharedDirty: 0,
    privateClean: sum(vma.privateClean, vma.privateDirty),
    privateDirty: 0,
  };
}

/** Of two columns; null if one of them says nothing. */
function sum(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}

const FRAME_NUMBER = /^\d*/;

/**
 * An unlocked page loses its mark once a batch is emptied. Pages of the recorder's own may have emptied it earlier: the
 * mark may be gone in the record if no locked VMA maps the page.
 */
function withoutLateMarks(recorded: readonly ProcessView[], current: readonly ProcessView[]): readonly ProcessView[] {
  const frameOf = (text: string): string => FRAME_NUMBER.exec(text)?.[0] ?? '';
  const locked = new Set<string>();
  for (const { vmas, pages } of current) {
    for (const vma of vmas.filter(({ flags }) => flags.match(/../g)?.includes('lo'))) {
      for (let i = 0; i < vma.pages; i++) locked.add(frameOf(pages.get(vma.page + i) ?? ''));
    }
  }
  return current.map((view, i) => {
    const pages = [...view.pages].map(([page, text]): [number, string] => {
      const late =
        recorded[i].pages.get(page) === text.slice(0, -1) && text.endsWith('l') && !locked.has(frameOf(text));
      return [page, late ? text.slice(0, -1) : text];
    });
    return { ...view, pages: new Map(pages) };
  });
}

function compareCheckpoint(found: ProgramDifferences, at: number, views: readonly (readonly ProcessView[])[]): void {
  const [recorded, now] = views;
  const numbers = (views: readonly ProcessView[]): string => views.map((view) => view.process).join(' ');
  if (numbers(recorded) !== numbers(now)) {
    found.pages ??= { at, text: `recorded processes ${numbers(recorded)}, got ${numbers(now)}` };
    return;
  }
  const current = withoutLateMarks(recorded, now);
  for (const [i, expected] of recorded.entries()) {
    const pages = pageDifference(expected, current[i]);
    if (pages !== undefined) found.pages ??= { at, text: `process ${expected.process}: ${pages}` };
    const vmas = vmaDifference(expected, current[i]);
    if (vmas !== undefined) found.vmas ??= { at, text: `process ${expected.process}: ${vmas}` };
  }
}

const vmaLine = (vma: VmaView): string =>
  `${vma.page}+${vma.pages} ${vma.perms} ${vma.object}@${vma.offset} ${vma.flags}`.trim();

function vmaDifference(expected: ProcessView, got: ProcessView): string | undefined {
  const left = expected.vmas.map(vmaLine).join('; ');
  const right = got.vmas.map(vmaLine).join('; ');
  return left === right ? undefined : `recorded ${left}\n      got      ${right}`;
}

/** The nature of each page: rights, object and offset, then the frame behind it. */
function pageLines(view: ProcessView): Map<number, string> {
  const lines = new Map<number, string>();
  for (const vma of view.vmas) {
    for (let i = 0; i < vma.pages; i++) {
      const offset = vma.object === 'a' ? 0 : vma.offset + i;
      const frame = view.pages.get(vma.page + i) ?? 'absent';
      lines.set(vma.page + i, `${vma.perms} ${vma.object}@${offset} ${frame}`);
    }
  }
  return lines;
}

function samePages(expected: ProcessView, got: ProcessView): boolean {
  if (expected.pages.size !== got.pages.size || vmaDifference(expected, got) !== undefined) return false;
  for (const [page, text] of expected.pages) if (got.pages.get(page) !== text) return false;
  return true;
}

function pageDifference(expected: ProcessView, got: ProcessView): string | undefined {
  if (samePages(expected, got)) return sumDifference(expected, got);
  const left = pageLines(expected);
  const right = pageLines(got);
  for (const page of new Set([...left.keys(), ...right.keys()])) {
    const recorded = left.get(page) ?? 'not mapped';
    const found = right.get(page) ?? 'not mapped';
    if (recorded !== found) return `page ${page}: recorded ${recorded}, got ${found}`;
  }
  return sumDifference(expected, got);
}

/** Columns in KiB, rounded down by smaps in each VMA. */
const ROUNDED = new Set<Column>(['pss', 'swapPss', 'locked']);

/** Sums by VMA if the VMAs are the same; otherwise over the process, Pss to within its rounding in each VMA. */
function sumDifference(expected: ProcessView, got: ProcessView): string | undefined {
  const same =
    expected.vmas.length === got.vmas.length && expected.vmas.every((vma, i) => vma.page === got.vmas[i].page);
  for (const name of COLUMN_NAMES) {
    if (expected.vmas.some((vma) => vma[name] === null)) continue;
    const left = expected.vmas.map((vma) => vma[name] ?? 0);
    const right = got.vmas.map((vma) => vma[name] ?? 0);
    const differs = same
      ? left.findIndex((value, i) => value !== right[i])
      : Math.abs(total(left) - total(right)) > (ROUNDED.has(name) ? Math.max(left.length, right.length) : 0)
        ? 0
        : -1;
    if (differs < 0) continue;
    const where = same ? ` of VMA ${expected.vmas[differs].page}` : '';
    const [recorded, found] = same ? [left[differs], right[differs]] : [total(left), total(right)];
    return `${name}${where}: recorded ${recorded}, got ${found}`;
  }
  return undefined;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
