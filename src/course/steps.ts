/** The steps of the course: what to write, in which words, with which hint, and how it is checked. */

import type { CourseProgram } from './engine/program.js';
import * as programs from './programs.js';
import type { ProgramMaker } from './programs.js';
import type { CourseHandler } from './engine/student.js';

/** One step. */
export interface CourseStep {
  readonly name: string;
  readonly title: string;
  /** The functions to write, or to go on with. */
  readonly functions: readonly (keyof CourseHandler)[];
  /** Paragraphs for the student. */
  readonly write: string;
  readonly words: string;
  readonly hint: string;
  readonly checked: string;
  readonly makeProgram: ProgramMaker<CourseProgram>;
}

/** In order; each one needs those before it, but `buddy`. */
export const COURSE_STEPS: readonly CourseStep[] = [
  {
    name: 'walk',
    title: 'Walk a table',
    functions: ['walk'],
    write:
      'Do by hand what the processor does with an address: take an entry from the table of each level, from the root down, and end with a physical address. Answer -1 where an access in user mode would be a page fault.',
    words:
      'Root, level, index (9 bits of the address for each level), entry (PTE), present or valid, leaf, page offset (12 bits). A page of 2 MiB ends the walk one level early: its offset has 21 bits.',
    hint: 'On x86-64 every level must allow the access: P, U/S, and R/W for a write. On Sv39 only the leaf has rights; a superpage must lie at a multiple of its size, and W without R is reserved. Pages of 1 GiB do not come up.',
    checked: 'Tables with odd entries are walked by you and by the processor, and the answers are compared.',
    makeProgram: programs.walkProgram,
  },
  {
    name: 'map',
    title: 'Map a page',
    functions: ['map'],
    write:
      'Store an entry as the last-level entry of an address. Make the tables that are missing on the way, from frames of `kernel.allocate()`.',
    words: 'Page table, allocate, clear, link. A table is linked when the entry of the level above leads to it.',
    hint: 'A new frame has anything in it: clear it before you link it. On x86-64 the entries of tables allow everything, and the last one decides. A table that is there already is used again.',
    checked:
      'Pages are mapped, read and written by the processor; every frame is counted: a table without a way to it is leaked.',
    makeProgram: programs.mapProgram,
  },
  {
    name: 'demand',
    title: 'Demand zero',
    functions: ['switchTo', 'pageFault'],
    write:
      'A process begins with regions and no pages. At a page fault find the region of the address. Without one, or for a write to a read-only one, answer false. Otherwise give it a frame of zeros with the rights of the region, and answer true.',
    words:
      'Page fault, fault address (CR2, stval), error code (bit 1: a write), scause (13: a load, 15: a store), demand paging.',
    hint: 'A page comes at its first touch, whether read or write. `switchTo` writes one register, CR3 or satp, and on Sv39 a fence after it.',
    checked: 'One process reads and writes; every byte is compared with what was written last, zero at first.',
    makeProgram: programs.demandProgram,
  },
  {
    name: 'fork',
    title: 'Fork with copy on write',
    functions: ['fork', 'exit', 'pageFault'],
    write:
      'At `fork` parent and child get the same frames. Pages of private regions lose the right to write on both sides; a write fault then copies the page. Pages of shared regions stay as they are. `exit` gives back every frame that nobody else has, and every table, the root too.',
    words: 'Copy on write (COW), reference count, private, shared, second generation: a child forks, too.',
    hint: '`kernel.frameUsers[frame]` is yours: count the entries that lead to a frame. A page that is read-only already is shared once more by the next fork. Shared regions were touched in full before the first fork.',
    checked:
      'Up to four processes read, write, fork and exit. After each operation all frames are counted from the tables: leaked ones, freed ones still in use, two ways to write to one private frame. So far the machine has no TLB.',
    makeProgram: programs.forkProgram,
  },
  {
    name: 'reuse',
    title: 'The last owner uses the page again',
    functions: ['pageFault'],
    write:
      'When all others have gone or copied, the last owner of a page needs no copy: give it the right to write, in place.',
    words: 'Last owner, re-use, write fault in place.',
    hint: 'The count must be right in every case: after an exit, after a copy of another process, after two forks.',
    checked: 'As before; and a write by the last owner of a page must not allocate a frame.',
    makeProgram: programs.reuseProgram,
  },
  {
    name: 'invalidate',
    title: 'Invalidate',
    functions: ['fork', 'pageFault', 'exit', 'discard', 'protect'],
    write:
      'From here on the machine has a TLB, and it keeps translations until you drop them: INVLPG or a write of CR3, SFENCE.VMA. Find each place where an entry loses a right or another frame takes its place. `discard` takes one private page away, as MADV_DONTNEED does; `protect` follows a change of `region.writable`. Pages of a global region have the bit G.',
    words:
      'TLB, stale entry, INVLPG, SFENCE.VMA, global page, ASID. The processor may walk ahead: right after an invalidation it loads the translation again.',
    hint: 'First the entry, then the invalidation, then the frame may be given back. A global translation outlives a write of CR3, and a fence with an ASID. A region that becomes writable again gives no right to pages under copy on write.',
    checked:
      'The machine compares every TLB hit with a fresh walk. A stale entry is named with the store that made it stale, and with the invalidation that is missing.',
    makeProgram: programs.flushProgram,
  },
  {
    name: 'buddy',
    title: 'A buddy allocator',
    functions: ['buddyInit', 'buddyAllocate', 'buddyFree'],
    write:
      'Hand out blocks of 2^order frames, at a multiple of their size. Split a larger block if there is no other; join a block with its buddy when both are free, and go on with the block that comes of it.',
    words: 'Order, block, split, buddy (the other half: the frame number with bit `order` flipped), join or merge.',
    hint: 'The frames begin and end anywhere: begin with the largest blocks that fit. Remember which blocks are allocated, and of which order: giving one back twice is refused.',
    checked:
      'Allocations and returns beside a list of the frames in use: no overlap, right places, and no refusal while a block can be had. Orders are 0 to 8.',
    makeProgram: programs.buddyProgram,
  },
  {
    name: 'swap',
    title: 'Swap with a clock',
    functions: ['evict', 'pageFault', 'fork', 'exit'],
    write:
      'With no frame free, `kernel.allocate()` calls your `evict`. A clock chooses: its hand goes round the frames; a page accessed since it came by last gets its bit cleared and a second chance. The other one goes to a slot of the disk, its entries become not present and name the slot, and its frame is given back. A page fault at such an entry brings the page back.',
    words: 'Swap slot, accessed and dirty bit, clock or second chance, swap entry, reverse map.',
    hint: 'After a fork several entries lead to a frame, all at one address: `kernel.processes` has everybody. A page never written (no D in any entry) is still zero and needs no slot; a page that comes back is not zero: set D. Two entries may name one slot: `kernel.slotUsers` is yours. `allocate` may evict the very page that you are about to copy. `fork` and `exit` meet entries on the disk.',
    checked:
      'Up to three processes with 16 pages each, and RAM for about twelve. Bytes as before, TLB in checking mode; a page may go only with its accessed bits clear; at the end every frame and slot is given back.',
    makeProgram: programs.swapProgram,
  },
];
