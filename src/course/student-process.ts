/**
 * The student's process: loads the handler, runs programs sent to it, and answers with transcripts. It compares nothing,
 * and knows no seed. Its own end and its output are the grader's business: see sandbox.ts.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { NOT_WRITTEN } from './engine/finding.js';
import type { CourseProgram } from './engine/program.js';
import { runCourseProgram } from './engine/run.js';
import { recorded } from './transcript.js';
import type { Token } from './transcript.js';

/** What it sends: once it is ready, and then an answer to each program. */
export type StudentMessage =
  | { readonly ready: true }
  | { readonly failed: string }
  | { readonly tokens: readonly Token[] }
  /** The program was ended before it had its time: others had the processor. */
  | { readonly starved: true };

/** Of its time: with less CPU time a program was not slow. */
const STARVED = 0.8;

type TypeScript = typeof import('typescript');

const [, , path, milliseconds, patience, typescript] = process.argv;

/** The module of the handler. Types are taken out of it unless Node does so itself. */
async function load(): Promise<object> {
  if (typescript === '') return (await import(pathToFileURL(path).href)) as object;
  const ts = createRequire(import.meta.url)(typescript) as TypeScript;
  const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions });
  return (await import(`data:text/javascript,${encodeURIComponent(outputText)}`)) as object;
}

/** ` (handler.js, line 12)`, from the stack of an error. */
function where(error: unknown): string {
  if (!(error instanceof Error) || error.message.endsWith(NOT_WRITTEN)) return '';
  const line = new RegExp(`${basename(path).replace('.', '\\.')}:(\\d+)`).exec(error.stack ?? '')?.[1];
  return line === undefined ? '' : ` (${basename(path)}, line ${line})`;
}

/**
 * The handler's transcript of a program; undefined when it was starved. A program that takes too long is ended: its limit is
 * CPU time, but a clock has to end it, and shows `patience` times as long.
 */
function transcriptOf(handler: object, program: CourseProgram): Token[] | undefined {
  const tokens: Token[] = [];
  const before = process.cpuUsage();
  const run = (): void => {
    runCourseProgram(program, recorded(handler, tokens, where), false);
  };
  try {
    runInNewContext('run()', { run }, { timeout: Number(milliseconds) * Number(patience) });
  } catch (error) {
    // It is an Error of the other context.
    if ((error as { readonly code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const { user, system } = process.cpuUsage(before);
    if (user + system < STARVED * 1000 * Number(milliseconds)) return undefined;
    const seconds = Number(milliseconds) / 1000;
    tokens.push([
      'throw',
      'stopped',
      `it was ended: no answer within ${seconds} s of the program's start. Does it loop?`,
    ]);
  }
  return tokens;
}

const send = (message: StudentMessage): void => void process.send?.(message);

try {
  const handler = await load();
  process.on('message', (program: CourseProgram) => {
    const tokens = transcriptOf(handler, program);
    send(tokens === undefined ? { starved: true } : { tokens });
  });
  send({ ready: true });
} catch (error) {
  send({ failed: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
}
