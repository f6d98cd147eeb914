/** A check of a walk as data: the tables of checks in docs/checks.md have a row for each, and explanations name the broken one. */

/** A check that a walk makes. */
export interface Check {
  /** The condition, as a sentence. */
  readonly rule: string;
  /** The fault of an access that breaks it, by the processor's name for it. */
  readonly fault: string;
  /** The manual, and the title of its section. */
  readonly section: string;
}

/** Why an access was refused: the broken rule, the same in words of the access, and the manual's section. */
export interface Reason {
  readonly rule: string;
  readonly why: string;
  readonly section: string;
}

/** The reason when a check fails. */
export function broken({ rule, section }: Check, why = rule): Reason {
  return { rule, why, section };
}
