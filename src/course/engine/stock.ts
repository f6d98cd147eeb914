/** The frames or slots of a program: who took each one, and who gave it back. */

import { FindingError } from './finding.js';

/** Frames, or slots. */
export class Stock {
  /** Those in use, with the call that allocated each. */
  readonly takenBy = new Map<number, string>();
  private readonly givenBy = new Map<number, string>();
  private readonly free: number[];

  constructor(
    private readonly noun: string,
    first: number,
    end: number,
  ) {
    this.free = Array.from({ length: Math.max(0, end - first) }, (_, i) => end - 1 - i);
  }

  /** The one given back last, or -1. */
  take(label: string): number {
    const one = this.free.pop() ?? -1;
    if (one >= 0) this.takenBy.set(one, label);
    return one;
  }

  give(one: number, label: string): void {
    this.check(one, 'given back');
    this.takenBy.delete(one);
    this.givenBy.set(one, label);
    this.free.push(one);
  }

  check(one: number, use: string): void {
    if (this.takenBy.has(one)) return;
    throw new FindingError('misuse', `${this.noun} ${one} is ${use} but ${this.absence(one)}`);
  }

  /** Why nobody has it. */
  absence(one: number): string {
    const before = this.givenBy.get(one);
    return before === undefined ? 'was never allocated' : `was given back by ${before}`;
  }
}
