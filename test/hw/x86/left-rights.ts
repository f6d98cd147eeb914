import type { LeftRights } from '../event-ledger.js';
import type { Mode } from './random-tables.js';

/** Rights as x86 tables leave them: R/W and U/S as in entries, and XD in bit 0. PAE's PDPTEs have none of these bits. */
export function leftByTables(mode: Mode): LeftRights {
  return {
    bytes: mode === '32' ? 4 : 8,
    root: 6,
    after: (left, high, low, level) => {
      if ((low & 1) === 0) return 0;
      return mode === 'pae' && level === 2 ? left : (left & low & 6) | ((left | (high >>> 31)) & 1);
    },
  };
}
