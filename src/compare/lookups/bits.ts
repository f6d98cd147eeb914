/** 1 for every int32 but 0, without a branch: the top bit of `x | -x` is set unless x is 0. */
export const isNotZero = (x: number): number => (x | -x) >>> 31;
