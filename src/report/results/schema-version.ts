/** The version of every result's form; it grows when a field changes its meaning or goes. */
export const SCHEMA_VERSION = 1;
/** That of a comparison: 2 has time in place of model cycles, and other verdicts. */
export const COMPARE_VERSION = 2;
/** That of a file of prices. */
export const PRICES_VERSION = 1;
