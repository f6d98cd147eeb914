/** What a program finds wrong with a handler. */

/** The kinds of findings: a shrunk program must still show the same one. */
export const FINDING_KINDS = [
  'not written',
  'threw',
  'no end',
  'stopped',
  'bad answer',
  'wrong byte',
  'wrong fault',
  'stale entry',
  'leaked frame',
  'leaked slot',
  'misuse',
  'bad table',
  'copied alone',
  'used page evicted',
] as const;
/** One of them. */
export type FindingKind = (typeof FINDING_KINDS)[number];

/** The end of a stub's error: its function is still to be written. */
export const NOT_WRITTEN = 'not written yet';

/** One finding. */
export interface CourseFinding {
  readonly kind: FindingKind;
  /** The number of the operation, from 0; -1 before the first one; after the last one: the reads and exits at the end. */
  readonly line: number;
  /** A sentence or two. */
  readonly what: string;
}

/** Thrown within a program: it ends there. */
export class FindingError extends Error {
  override readonly name = 'FindingError';

  constructor(
    readonly kind: FindingKind,
    message: string,
    /** The message says already which call it was. */
    readonly isPlaced = false,
  ) {
    super(message);
  }
}
