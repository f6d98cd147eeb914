/** One run of a program: calls of the student's functions, with their errors and answers looked at. */

import type { CourseHandler } from './student.js';
import { FindingError, NOT_WRITTEN } from './finding.js';
import type { AnyProcessor, World } from './world.js';

/** The handler as the engine calls it: on either machine. */
export type AnyHandler = CourseHandler<AnyProcessor>;
type Answers = { readonly [Name in keyof AnyHandler]: ReturnType<AnyHandler[Name]> };

/** A run in progress. */
export class Session {
  /** The number of the operation, from 0; -1 before the first one. */
  line = 0;

  constructor(
    private readonly handler: AnyHandler,
    /** Operations of the program. */
    private readonly lines: number,
    /** Compare with the oracle; otherwise run on, whatever comes. */
    readonly checks: boolean,
    private readonly onCall?: (line: number, text: string) => void,
  ) {}

  /**
   * Calls a function of the student's; stores are labelled with it.
   * @param text the call in words, for the journal of stores
   * @throws FindingError for an error, or a first misuse of the machine
   */
  call<Name extends keyof AnyHandler>(
    world: World,
    name: Name,
    text: string,
    ...values: Parameters<AnyHandler[Name]>
  ): Answers[Name] {
    const outer = world.label;
    if (!world.evicting) world.actions = 0;
    world.label = `${text} ${this.place()}`;
    this.onCall?.(this.line, text);
    let answer: Answers[Name];
    try {
      answer = this.answer(name, values);
    } catch (error) {
      throw world.misuse ?? error;
    }
    // The student's code may have caught it.
    if (world.misuse !== null) throw world.misuse;
    world.label = outer;
    return answer;
  }

  private place(): string {
    return this.line < 0 ? 'at the start' : this.line < this.lines ? `in line ${this.line + 1}` : 'at the end';
  }

  private answer<Name extends keyof AnyHandler>(name: Name, values: Parameters<AnyHandler[Name]>): Answers[Name] {
    const { handler } = this;
    if (typeof handler[name] !== 'function') throw new FindingError('not written', `${name}: ${NOT_WRITTEN}`);
    try {
      return (handler[name] as (...values: unknown[]) => Answers[Name])(...values);
    } catch (error) {
      if (error instanceof FindingError) throw error;
      const words = error instanceof Error ? error.message : String(error);
      if (words.endsWith(NOT_WRITTEN)) throw new FindingError('not written', words);
      throw new FindingError('threw', `${name} threw: ${words}`);
    }
  }

  /** Throws a finding, when they are wanted. */
  expect(holds: boolean, kind: FindingError['kind'], words: () => string): void {
    if (this.checks && !holds) throw new FindingError(kind, words());
  }
}
