/** Replays recordings of the OSTEP homework simulators: `pagewalk conform ostep`. */

import { countOf } from '../report/output/units.js';
import { readJsonLines, RecordingError } from './recording/json-lines.js';
import type { RecordedLine } from './recording/json-lines.js';
import { ostepCase } from './ostep-case.js';
import type { OstepCase } from './ostep-case.js';
import { corrected, replayOstep } from './ostep-replay.js';
import type { OstepDifference } from './ostep-replay.js';
import { checkAll } from './recording/result.js';
import type { ConformanceResult } from './recording/result.js';

/**
 * Replays every case of the files on a toy machine, by the policies of page replacement, or on a free list.
 * @throws RecordingError for a line at odds with the schema, before any case is replayed, or with a machine that cannot be
 */
export function conformOstep(files: readonly string[]): ConformanceResult {
  const lines = files.flatMap((file) => readJsonLines(file, ostepCase));
  const wrong = lines.reduce((count, { value }) => count + failuresPlusHeader(value), 0);
  const result = checkAll(lines, (recorded) => {
    const difference = replayLine(recorded);
    if (difference === undefined) return undefined;
    const { file, line, value } = recorded;
    const { field, expected, got } = difference;
    const where = `${value.fam} seed ${value.seed}, ${file} line ${line}, ${field}`;
    return () => `${where}\n  expected  ${expected}\n  got       ${got}`;
  });
  if (wrong === 0) return result;
  const remark = `allocation: ${countOf(wrong, 'failed request has', 'failed requests have')} -1 plus the header for an address; read as -1`;
  return { ...result, remarks: [remark] };
}

function failuresPlusHeader(value: OstepCase): number {
  return value.fam === 'allocation' ? value.ops.filter((op) => corrected(op, value) !== op).length : 0;
}

/** A machine that cannot be is a mistake of the line. */
function replayLine({ file, line, value }: RecordedLine<OstepCase>): OstepDifference | undefined {
  try {
    return replayOstep(value);
  } catch (error) {
    throw error instanceof RangeError ? new RecordingError(`${file} line ${line}: ${error.message}`) : error;
  }
}
