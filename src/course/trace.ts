/** A program of a step with each action of the handler, for the student to look at. */

import { toHex } from '../../hw/index.js';
import type { CourseFinding } from './engine/finding.js';
import { AT_THE_END, describeOperation, describeRegions } from './engine/program.js';
import type { CourseProgram } from './engine/program.js';
import type { AnyHandler } from './engine/session.js';
import { runCourseProgram } from './engine/run.js';
import { recorded } from './transcript.js';
import type { Token } from './transcript.js';

const COUNTS = new Set(['zeroFrame', 'copyFrame', 'writeSlot', 'readSlot', 'free', 'freeSlot', 'writeSatp']);

/** `store(0x3000, 0x5007)`; frames and slots are decimal. */
function actionText([name, ...values]: Token): string {
  const words = values.map((value) => (typeof value === 'number' && !COUNTS.has(name) ? toHex(value) : String(value)));
  if (name === 'return') return `answers ${String(values[0])}`;
  if (name === 'throw') return `throws: ${String(values[1])}`;
  return `${name}(${words.join(', ')})`;
}

/** The trace of a program, a line each; and its finding. */
export function traceProgram(
  program: CourseProgram,
  handler: AnyHandler,
): { readonly lines: readonly string[]; readonly finding: CourseFinding | undefined } {
  const tokens: Token[] = [];
  const finding = runCourseProgram(program, recorded(handler, tokens), true, (line, text) => {
    tokens.push(['call', line, text]);
  });
  const lines = describeRegions(program);
  const operations = [...program.operations.map(describeOperation), AT_THE_END];
  const shown = (finding?.line ?? program.operations.length) + 1;
  let line = 0;
  const upTo = (end: number): void => {
    for (; line < Math.min(end, shown); line++) lines.push(`${String(line + 1).padStart(2)}  ${operations[line]}`);
  };
  for (const token of tokens) {
    if (token[0] === 'return' && token[1] === 'undefined') continue;
    if (token[0] !== 'call') {
      lines.push(`      ${actionText(token)}`);
      continue;
    }
    upTo(Number(token[1]) + 1);
    lines.push(`    ${String(token[2])}`);
  }
  upTo(operations.length);
  return { lines, finding };
}
