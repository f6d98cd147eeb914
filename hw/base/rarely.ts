/** A hint to V8, for a frequent way with a rare call in it. */

/** Empty. Of a kind that V8 never changes, so that it need not look at the kind. */
const NOTHING = new Array<null>(1).fill(null);
NOTHING.length = 0;
const { isFinite } = Number;

/**
 * Does nothing. To be called just before a call that is rare, where a frequent way goes past both.
 *
 * A call in a loop costs even the rounds without it: V8 keeps the loop's values in memory for its sake. It does not for
 * a call in a place that it takes for rare, and it takes the end of `forEach` for that.
 */
export const rarely = (): void => {
  NOTHING.forEach(isFinite);
};
