/** The labs, in the order of the chapter. */

import { aslrPaging } from './scenarios/aslr-paging.js';
import { aslrSegments } from './scenarios/aslr-segments.js';
import { bestWorst } from './scenarios/best-worst.js';
import { editors } from './scenarios/editors.js';
import { forkCostLab } from './scenarios/fork-cost.js';
import { falseSharing } from './scenarios/false-sharing.js';
import { fork } from './scenarios/fork.js';
import { fragmentation } from './scenarios/fragmentation.js';
import { kinds } from './scenarios/kinds.js';
import { libc } from './scenarios/libc.js';
import { libraryTable } from './scenarios/library-table.js';
import { mappedFile } from './scenarios/mapped-file.js';
import { mistakes } from './scenarios/mistakes.js';
import { multics } from './scenarios/multics.js';
import { partial } from './scenarios/partial.js';
import { segmentCow } from './scenarios/segment-cow.js';
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
