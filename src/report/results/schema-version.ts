/** The version of every result's form; it grows when a field changes its meaning or goes. */
export const SCHEMA_VERSION = 1;
