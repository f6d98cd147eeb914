/** The labs, in the order of the chapter. */

import { aslrPaging } from './scenarios/addresses/aslr-paging.js';
import { aslrSegments } from './scenarios/addresses/aslr-segments.js';
import { bestWorst } from './scenarios/copying/best-worst.js';
import { editors } from './scenarios/sharing/editors.js';
import { forkCostLab } from './scenarios/copying/fork-cost.js';
import { falseSharing } from './scenarios/sharing/false-sharing.js';
import { fork } from './scenarios/copying/fork.js';
import { fragmentation } from './scenarios/copying/fragmentation.js';
import { kinds } from './scenarios/sharing/kinds.js';
import { libc } from './scenarios/sharing/libc.js';
import { libraryTable } from './scenarios/sharing/library-table.js';
import { mappedFile } from './scenarios/sharing/mapped-file.js';
import { mistakes } from './scenarios/copying/mistakes.js';
import { multics } from './scenarios/addresses/multics.js';
import { partial } from './scenarios/sharing/partial.js';
import { segmentCow } from './scenarios/copying/segment-cow.js';
import type { Lab } from './story.js';

/** All labs, in the order of the chapter. */
export const LABS: readonly Lab[] = [
  kinds,
  editors,
  libc,
  partial,
  fork,
  forkCostLab,
  bestWorst,
  segmentCow,
  fragmentation,
  libraryTable,
  aslrPaging,
  aslrSegments,
  falseSharing,
  multics,
  mappedFile,
  mistakes,
];
