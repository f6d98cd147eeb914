/**
 * A transcript of a handler: its actions on the machine and its answers, in order. The student's process writes it. The
 * grader does the same actions on a machine of its own, and looks at that one alone: a transcript with good results is
 * that of a good handler, whoever wrote it.
 */

import { FINDING_KINDS, FindingError, NOT_WRITTEN } from './engine/finding.js';
import type { AnyHandler } from './engine/session.js';
import { COURSE_STEPS } from './steps.js';

/** An action with its operands; `return` and `throw` end a call. */
export type Token = readonly [name: string, ...values: unknown[]];

/** The functions of a handler. */
const HANDLER_FUNCTIONS: readonly string[] = [...new Set(COURSE_STEPS.flatMap(({ functions }) => functions))];

const MOST_TOKENS = 300_000;
const LONGEST_MESSAGE = 500;

type AnyFunction = (...values: unknown[]) => unknown;
type Face = Record<string, unknown>;

/** The first operand of every function is a kernel, but that of `walk`: a machine. */
function isKernel(face: Face): boolean {
  return typeof face.machine === 'object';
}

/** A value that goes from process to process as it is; any other one in words, such as `5n` or `a promise`. */
function plain(value: unknown): unknown {
  if (typeof value === 'boolean' || value === undefined || Number.isFinite(value)) return value;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' || typeof value === 'string' || value === null) return String(value);
  return value instanceof Promise ? 'a promise' : `some ${typeof value}`;
}

/** The same kernel or machine, with each action noted before it is done. */
function noting(face: Face, note: (token: Token) => void): Face {
  const view = Object.create(face) as Face;
  for (const [name, action] of Object.entries(face)) {
    if (typeof action !== 'function' || name === 'load') continue;
    view[name] = (...values: unknown[]) => {
      note([name, ...values.map(plain)]);
      return (action as AnyFunction)(...values);
    };
  }
  if (isKernel(face)) view.machine = noting(face.machine as Face, note);
  return view;
}

/** A handler of functions made by name. */
function handlerFrom(functionOf: (name: string) => AnyFunction): AnyHandler {
  const handler: Record<string, AnyFunction> = {};
  for (const name of HANDLER_FUNCTIONS) handler[name] = functionOf(name);
  return handler as unknown as AnyHandler;
}

/**
 * A handler that notes all it does.
 * @param where the place of an error in the student's file, in words, or nothing
 */
export function recorded(handler: object, tokens: Token[], where: (error: unknown) => string = () => ''): AnyHandler {
  const note = (token: Token): void => {
    if (tokens.length >= MOST_TOKENS)
      throw new FindingError('no end', `it makes no end: ${MOST_TOKENS} actions in one program`);
    tokens.push(token);
  };
  const views = new WeakMap<Face, Face>();
  const viewOf = (face: Face): Face => {
    const view = views.get(face) ?? noting(face, note);
    views.set(face, view);
    return view;
  };
  const call = (act: AnyFunction, face: Face, values: readonly unknown[]): unknown => {
    try {
      const answer = act(viewOf(face), ...values);
      tokens.push(['return', plain(answer) ?? String(answer)]);
      return answer;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const kind = error instanceof FindingError ? error.kind : 'threw';
      tokens.push(['throw', kind, words.slice(0, LONGEST_MESSAGE) + (kind === 'threw' ? where(error) : '')]);
      throw error;
    }
  };
  return handlerFrom((name) => {
    const act = (handler as Readonly<Record<string, unknown>>)[name];
    const missing = (): never => {
      throw new Error(`${name}: not exported by the handler, or ${NOT_WRITTEN}`);
    };
    return (face, ...values) => call(typeof act === 'function' ? (act as AnyFunction) : missing, face as Face, values);
  });
}

/** A handler by a transcript: it does what stands there. */
export function replayed(tokens: readonly Token[]): AnyHandler {
  let next = 0;
  const play = (face: Face): unknown => {
    for (;;) {
      const [name, ...values] = tokens.at(next++) ?? ['throw', 'stopped', 'the handler stopped without an answer'];
      if (name === 'return') return values[0];
      if (name === 'throw') {
        const [kind, words] = values.map(String);
        const known = FINDING_KINDS.find((one) => one === kind) ?? 'threw';
        throw known === 'threw' ? new Error(words) : new FindingError(known, words, true);
      }
      const owner = isKernel(face) && !Object.hasOwn(face, name) ? (face.machine as Face) : face;
      const action = Object.hasOwn(owner, name) ? owner[name] : undefined;
      if (typeof action !== 'function') throw new FindingError('misuse', `there is no action ${name}`);
      try {
        // JSON has null where an operand was left out.
        (action as AnyFunction)(...values.map((value) => value ?? undefined));
      } catch (error) {
        // The world keeps it: the student's code may have gone on.
        if (!(error instanceof FindingError)) throw error;
      }
    }
  };
  return handlerFrom(() => (face) => play(face as Face));
}

/** What another process sent, as a transcript; undefined if it is none. */
export function asTranscript(value: unknown): Token[] | undefined {
  if (!Array.isArray(value) || value.length > MOST_TOKENS + 1) return undefined;
  const right = value.every((token) => Array.isArray(token) && typeof token[0] === 'string');
  return right ? (value as Token[]) : undefined;
}
