/** Is a gain worth it? One threshold for predictions and for measurements. */

/** The least gain that is worth a change of settings: a share of the run time. Judgement, not measurement. */
export const WORTH_IT = 0.03;
/** No price of a machine is known better than to this share of it: docs/time-model.md, "Verdicts". */
const UNSURE = 0.1;

/** Bounds of how many times as fast. */
interface Times {
  readonly low: number;
  readonly high: number;
}

type Answer = 'yes' | 'no' | 'between';

/** The share of its run time that a program saves when it runs `times` as fast. */
export function saved(times: number): number {
  return 1 - 1 / times;
}

/** @param scale of what is saved */
function answerOn({ low, high }: Times, scale: number): Answer {
  if (scale * saved(low) >= WORTH_IT) return 'yes';
  return scale * saved(high) < WORTH_IT ? 'no' : 'between';
}

/** Yes: even the low end of the speed-up gains enough. No: even the high end does not. */
export function verdictOn(times: Times): Answer {
  return answerOn(times, 1);
}

/** The other verdict on a prediction, if a tenth more or less saved would give one; what is saved goes with the prices. */
export function nearlyOn(times: Times): Answer | undefined {
  const verdict = verdictOn(times);
  return [1 - UNSURE, 1 + UNSURE].map((scale) => answerOn(times, scale)).find((other) => other !== verdict);
}
