/** The report of `pagewalk record` on a finished recording. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { countOf, formatBytes, formatCount, formatShort } from '../report/output/units.js';
import { programWords } from '../report/views/compare-words.js';
import { sharesOf } from '../trace/coverage.js';
import type { Recording } from '../trace/node/recorder.js';

/** Lines for a person: the content of the recording, and the things to know before trusting it. */
export function reportLines(recording: Recording, output: string, program: string): string[] {
  const { engine, whyNotQemu, counts, facts, skippedLines } = recording;
  const what = counts.fetches > 0 ? 'accesses and fetches' : 'data accesses';
  const size = sizeOf(output, counts.accesses);
  const lines = [`recorded ${countOf(counts.accesses, what, what)} of ${basename(program)} in ${output}${size}`];
  lines.push(...windowLines(recording), ...programWords(sharesOf(facts.processes)));
  if (whyNotQemu !== undefined) lines.push(`note: recorded by valgrind, which is slow: ${whyNotQemu}`);
  for (const name of new Set(facts.unseen)) {
    lines.push(`note: ${name} left the emulator and was not seen; --engine valgrind may follow it`);
  }
  if (facts.mixed !== undefined && facts.mixed > 1) {
    lines.push(
      `note: ${facts.mixed} processes are in it, in the order they ran; valgrind does not tell them apart, so a page at ` +
        'the same address in two counts as one',
    );
  }
  if (skippedLines > 0) {
    const besides = countOf(skippedLines, 'line');
    lines.push(`note: ${engine} wrote ${besides} besides; it may not know all the program's instructions`);
  }
  return [...lines, ...endingLines(recording), `next: pagewalk compare ${output}`];
}

function sizeOf(output: string, accesses: number): string {
  const file = statSync(output);
  return file.isFile() ? ` (${formatBytes(file.size)}, ${formatShort(file.size / accesses)} bytes an access)` : '';
}

function windowLines({ facts, windows, ending }: Recording): string[] {
  if (ending === 'stopped' || facts.accesses === undefined) return [];
  const instructions = facts.instructions === undefined ? '' : ` and ${formatCount(facts.instructions)} instructions`;
  const run = `the run made ${countOf(facts.accesses, 'access', 'accesses')}${instructions}`;
  if (windows.gaps === 0) return [`${run}; they are recorded without a gap`];
  return [`${run}; ${windows.kept} windows of ${formatCount(windows.length)} are recorded, at even distances`];
}

function endingLines({ ending }: Recording): string[] {
  if (ending === 'stopped') return ['note: the program was stopped at --limit'];
  if (ending === 'interrupted')
    return ['note: interrupted, and the program with it; the recording holds the run so far'];
  if (ending.signal !== null) return [`note: the program was ended by ${ending.signal}`];
  return ending.code === 0 ? [] : [`note: the program failed with exit code ${ending.code}`];
}
