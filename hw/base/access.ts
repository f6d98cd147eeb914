/**
 * The request of an access: a set of bits, an index of every table by access.
 *
 * A locked read-modify-write is a WRITE: the architecture checks it as one from the start.
 */

export const READ = 0;
/** A store. */
export const WRITE = 1;
/** An instruction fetch. */
export const FETCH = 2;
/** Made at CPL 3. Without it the access is a supervisor-mode access. */
export const USER = 4;
/**
 * Implicit supervisor-mode access, to a descriptor table or a TSS, whatever the CPL: SMAP refuses it on user pages even
 * with RFLAGS.AC = 1. Source: Intel SDM vol. 3A, "Access Rights".
 */
export const IMPLICIT = 8;
/** One more than the largest access, the length of tables indexed by access. */
export const ACCESS_KINDS = 16;
