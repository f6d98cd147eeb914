/** Is a gain worth it? One threshold for what is predicted and what is measured. */

/** The least gain that is worth a change of settings: a share of the run time. Judgement, not measurement. */
const WORTH_IT = 0.03;

/** The share of its run time that a program saves when it runs `times` as fast. */
export function saved(times: number): number {
  return 1 - 1 / times;
}

/** Yes: even the low end of the speed-up gains enough. No: even the high end does not. */
export function verdictOn({ low, high }: { readonly low: number; readonly high: number }): 'yes' | 'no' | 'between' {
  if (saved(low) >= WORTH_IT) return 'yes';
  return saved(high) < WORTH_IT ? 'no' : 'between';
}
