/**
 * How long anything may take before it counts as hanging, in milliseconds. It is a guard and no measure: on a quiet machine
 * every test ends within seconds, on a busy one each may take as long as it needs. How much a test does is bounded by
 * counts, never by time.
 */
export const HANGING_MS = 600_000;
