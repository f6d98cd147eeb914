/** Why a processor takes each step of a translation: for those who ask, on the page and in the terminal alike. */

import type { TranslationEvent } from '../../hw/translate/walk/events.js';
import { labelled } from '../report/output/columns.js';

/** A step of a processor, or one that a pencil takes beside it: the address cut up, a segment register used, its base added. */
export type StepKind = TranslationEvent['kind'] | 'split' | 'segment' | 'sum';

/** Two or three sentences for each kind of step, true on every machine. */
export const STEP_WHY: Readonly<Record<StepKind, string>> = {
  split:
    'The address is cut by position: its upper bits choose an entry or a segment, the lower ones a byte in it. All sizes are powers of two, so nothing has to be divided. The offset goes through unchanged.',
  segment:
    'A segment register has where the segment begins and how long it is. The offset is held to the limit before memory is touched, and only then added to the base. One register serves the whole segment, so there is no table to walk.',
  sum: 'A segment lies in memory in one piece, so its base and the offset make the physical address. One that grows down ends before its base, and the distance is taken away. No table was read, and there is nothing for a TLB to keep.',
  lookup:
    'Every access asks the TLB first, because a walk costs several reads of memory. Some bits of the page number choose a set, and only its entries are compared. That keeps the lookup short enough for every instruction.',
  hit: 'The TLB has kept what an earlier walk found, so no table is read. The rights kept with it are checked again, for this access may be another one. If the tables have changed since and nobody dropped the entry, the answer is stale.',
  'walk cache hit':
    'Pages near each other share their upper tables, so the processor keeps the way to the lower ones. The walk begins there and reads fewer entries. An entry changed above must be invalidated like one in the TLB.',
  'second-stage hit':
    "Each address that a guest's tables give is one of the guest's own memory, and the host must place it. The processor has kept an earlier answer to that question. Without it each entry of the guest costs a walk of the host's tables.",
  read: 'A table is an array in memory: its entry lies at its start plus the index times the size of an entry. The entry gives the next table or the page itself, and rights. What an entry above forbids, no entry below allows again.',
  'entry cache':
    'Entries are memory like any other, and come through the caches. An entry that is there costs a few cycles, one that is not a hundred or more. So the same number of reads can cost very different times.',
  set: 'The processor notes in the entry that it was used, or that its page was written. The kernel reads and clears these bits to learn which pages are in use and which must be saved. It is a store to memory, so it is done once and not at each access.',
  walked:
    'The last entry names a frame, and the offset of the address stays as it is: frame and offset are the physical address. The rights are those that all entries on the way leave together. This is the answer that the TLB will keep.',
  fill: 'What the walk found is kept, because the same page is likely to be touched again soon. Nothing tells the TLB of later changes to the tables. Software that changes an entry must drop what was kept of it.',
  drop: 'An entry left: its set was full and another one needed the place, or it was invalidated. Its next use costs a walk again, and nothing else is lost, for the tables have it all.',
  fault:
    'The access does not happen: the processor goes to the kernel instead, with the address and the cause. The kernel may mend the tables and let the instruction start again, or end the program. Demand paging and copy on write are faults that are mended.',
  instruction:
    'Software has to tell the processor that tables have changed, for it does not watch memory. This instruction does so. One that is forgotten leaves old answers in use.',
  invalidate:
    'These entries may be wrong now, so they go, and the next access walks. Too much dropped costs walks, too little leaves stale entries. That is why there are instructions for one page, one space and everything.',
};

/** The reasons of the kinds among the steps, each once and in order, as lines of the terminal. */
export function whyLines(steps: readonly { readonly kind: StepKind }[]): string[] {
  return [...new Set(steps.map(({ kind }) => kind))].map((kind) => labelled(kind, STEP_WHY[kind]));
}
