/** `pagewalk conform linux`: recorded programs replayed through the kernel. */

import { readJsonLines } from '../recording/json-lines.js';
import type { RecordedLine } from '../recording/json-lines.js';
import { linuxProgram } from './linux-case.js';
import type { LinuxProgram } from './linux-case.js';
import { CLASSES, compareProgram } from './linux-compare.js';
import type { ProgramDifferences, ComparisonClass } from './linux-compare.js';
import { LinuxMachine } from './linux-machine.js';
import type { LinuxMachineOptions } from './linux-machine.js';
import type { FamilyCount } from '../recording/result.js';

type LinuxFamily = Record<ComparisonClass | 'programs', FamilyCount>;

export interface LinuxResult {
  /** Faults that set accessed and dirty bits alone: x86 has none, so they are in no comparison. */
  readonly markFaults: number;
  /** By the recording's `fam`; `programs` counts those without any difference. */
  readonly families: Readonly<Record<string, LinuxFamily>>;
  /** The first differences of each class, in words. */
  readonly mismatches: readonly string[];
}

/** How many differences of each class are shown. */
const SHOWN = 3;
/** Ops shown before and after the differing one. */
const NEIGHBOURS = 3;

/**
 * Replays every program of the files.
 * @throws RecordingError for any other file; RangeError for a machine that there is not
 */
export function conformLinux(files: readonly string[], options: LinuxMachineOptions = {}): LinuxResult {
  const families: Record<string, LinuxFamily> = {};
  const shown: Record<ComparisonClass, string[]> = { values: [], pages: [], vmas: [] };
  const machine = new LinuxMachine(options);
  let markFaults = 0;
  for (const file of files) {
    for (const line of readJsonLines(file, linuxProgram)) {
      const comparison = compareProgram(machine, line.value);
      markFaults += machine.kernel.counters.markFaults;
      const family = (families[line.value.fam] ??= emptyFamily());
      count(family, comparison);
      for (const name of CLASSES) {
        if (comparison[name] !== undefined && shown[name].length < SHOWN)
          shown[name].push(explain(line, name, comparison));
      }
    }
  }
  return { markFaults, families, mismatches: CLASSES.flatMap((name) => shown[name]) };
}

function emptyFamily(): LinuxFamily {
  const zero = (): FamilyCount => ({ passed: 0, failed: 0 });
  return { values: zero(), pages: zero(), vmas: zero(), programs: zero() };
}

function count(family: LinuxFamily, comparison: ProgramDifferences): void {
  for (const name of CLASSES) family[name][comparison[name] === undefined ? 'passed' : 'failed']++;
  family.programs[Object.keys(comparison).length === 0 ? 'passed' : 'failed']++;
}

/** A difference with the op and its neighbours. */
function explain(line: RecordedLine<LinuxProgram>, name: ComparisonClass, comparison: ProgramDifferences): string {
  const difference = comparison[name];
  if (difference === undefined) return '';
  const { ops, res, id } = line.value;
  const from = Math.max(0, difference.at - NEIGHBOURS);
  const lines = ops.slice(from, difference.at + NEIGHBOURS + 1).map((operation, i) => {
    const at = from + i;
    const answer = operation[1] === 'ck' ? '' : ` => ${JSON.stringify(res[at])}`;
    return `  ${at === difference.at ? '>' : ' '} ${at} ${JSON.stringify(operation)}${answer}`;
  });
  const where = `${line.file} line ${line.line}, program ${id}, op ${difference.at}`;
  return [`${name} differ: ${where}`, `    ${difference.text}`, ...lines].join('\n');
}

/** Whether every program gave the recorded values and pages. */
export function valuesAndPagesPassed({ families }: LinuxResult): boolean {
  return Object.values(families).every((family) => family.values.failed === 0 && family.pages.failed === 0);
}

/** The differences, then a line for each family and class. */
export function linuxText({ markFaults, families, mismatches }: LinuxResult): string {
  const lines = Object.entries(families).flatMap(([name, family]) =>
    [...CLASSES, 'programs' as const].map((kind) => {
      const { passed, failed } = family[kind];
      return `${name.padEnd(5)} ${kind.padEnd(8)} ${passed} passed, ${failed} failed`;
    }),
  );
  const marks =
    markFaults === 0 ? [] : [`${markFaults} faults set accessed and dirty bits alone, and were not compared`];
  return [...mismatches.flatMap((text) => [text, '']), ...lines, ...marks, ''].join('\n');
}
