/** A check of results before they become text: one not awaited is a promise, with nothing in it. */

import { checkKind } from '../../../hw/base/arguments.js';

const MADE_BY = {
  compare: 'await compare(…)',
  fork: 'await forkCost(…)',
  sweep: 'await sweep(…)',
  lab: 'runLab(…)',
  walk: 'explainWalk(…)',
  segment: 'explainSegment(…)',
} as const;

/** Refuses anything but the result of a command. @throws TypeError with the function that makes one */
export function checkResult(command: keyof typeof MADE_BY, result: unknown): void {
  checkKind('result', result, {
    words: `what ${MADE_BY[command]} gives`,
    fits: (value) => (value as { readonly command?: unknown } | null | undefined)?.command === command,
  });
}
