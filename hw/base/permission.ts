/**
 * Rights of a translation, as one int32; a TLB keeps it beside the frame.
 *
 * Bits 4:0 are the permission code. A walk works it out once, from the entries of all levels, and only its architecture
 * knows the number's meaning. Whether an access is allowed is then one shift, `(permitted[access] >>> code) & 1`,
 * and `permitted` is made anew at each change of a register (see translate/regime.ts). JavaScript shifts by the low
 * five bits of a number, so the rights may stand in place of their code.
 *
 * The other bits stand beside the code: they are no permissions of their own, or not the same for every access.
 */

/** A store may use the translation: the dirty bit of its entry is known to be set. */
export const DIRTY = 1 << 6;
/** The translation is good in every address space. */
export const GLOBAL = 1 << 8;
/** Bits 15:12: the protection key, if the architecture has keys. */
export const KEY_SHIFT = 12;
export const KEY = 0xf << KEY_SHIFT;
/** Not from an entry: the TLB holds a piece of a larger page. */
export const FRACTURED = 1 << 16;

/** Codes with a bit in {@link Regime.permitted}. */
export const PERMISSION_CODES = 32;
