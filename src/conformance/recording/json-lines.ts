/** Recordings as they lie on disk: one JSON object a line, plain or compressed with gzip. */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { z } from 'zod';
import { checked } from '../../report/output/schema-words.js';

/** One recorded case and its line. */
export interface RecordedLine<T> {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly value: T;
}

/** A file of recordings at odds with its schema. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

const GZIP_MAGIC = 0x1f8b;

function readText(file: string): string {
  const bytes = readFileSync(file);
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== GZIP_MAGIC) return bytes.toString('utf8');
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RecordingError(`${file}: cannot be decompressed (${reason}); is the file complete?`);
  }
}

function parseLine<T>(text: string, schema: z.ZodType<T>, where: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new RecordingError(`${where}: not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  const result = checked(schema, parsed);
  if ('value' in result) return result.value;
  const { path, problem } = result.flaw;
  const field = path.length > 0 ? `field ${path.join('.')}: ` : '';
  throw new RecordingError(`${where}: ${field}${problem}`);
}

/**
 * Reads every line of a recording; blank lines are skipped.
 * @throws RecordingError naming file, line and field, for text other than JSON or at odds with the schema.
 */
export function readJsonLines<T>(file: string, schema: z.ZodType<T>): readonly RecordedLine<T>[] {
  const lines: RecordedLine<T>[] = [];
  for (const [index, text] of readText(file).split('\n').entries()) {
    if (text.trim() === '') continue;
    const line = index + 1;
    lines.push({ file, line, value: parseLine(text, schema, `${file} line ${line}`) });
  }
  if (lines.length === 0) throw new RecordingError(`${file}: holds no cases; one JSON object a line is expected`);
  return lines;
}
