/** What comparisons and counts cannot do without. Counts load no more of {@link compare} than this. */

import { arrayOf, objectWith } from '../../hw/base/arguments.js';
import { TLB_GEOMETRY } from '../../hw/tlb/shape.js';

/** The required options of comparisons and counts. */
export const COMPARE_REQUIRED = {
  sources: arrayOf(objectWith('open', 'an object { name, open }, such as { name, open: () => openTrace(path) }')),
  tlb: TLB_GEOMETRY,
};
