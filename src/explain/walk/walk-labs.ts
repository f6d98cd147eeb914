/** Labs with machines to walk: those of the textbook, and two about nothing but walks. */

import { PAGE_BYTES } from '../../../hw/base/address.js';
import { PROT_READ } from '../../kernel/abi/flags.js';
import { HUGE_BYTES } from '../../kernel/space/memory.js';
import { must } from '../../kernel/abi/must.js';
import { LABS } from '../../lab/labs.js';
import { PagedMachine } from '../../lab/paged-machine.js';
import type { Lab } from '../../lab/story.js';

const RAM_BYTES = 2 ** 26;
const DATA = 0x60_1000;
const HUGE = 0x80_0000;

const demand: Lab = {
  name: 'demand',
  title: 'A process that touches two of its three pages',
  run(story) {
    const machine = new PagedMachine(RAM_BYTES);
    story.on(machine);
    const process = machine.spawn();
    machine.map(process, 3 * PAGE_BYTES, { at: DATA });
    story.step('Three pages are mapped, and nothing is there yet.', machine.entry(process, DATA));
    machine.load(process, DATA);
    story.step('The first is read: the page of zeros.', machine.entry(process, DATA));
    machine.store(process, DATA + PAGE_BYTES, 1);
    story.step('The second is written: a page of its own.', machine.entry(process, DATA + PAGE_BYTES));
  },
};

const huge: Lab = {
  name: 'huge',
  title: 'A process with a huge page, and one that is split',
  run(story) {
    const machine = new PagedMachine(RAM_BYTES);
    story.on(machine);
    const process = machine.spawn('2M');
    machine.map(process, 2 * HUGE_BYTES, { at: HUGE });
    machine.store(process, HUGE, 1);
    machine.store(process, HUGE + HUGE_BYTES, 1);
    story.step('Each 2 MiB are one entry.', machine.lastFault);
    must(machine.kernel.mprotect(process, HUGE + HUGE_BYTES, PAGE_BYTES, PROT_READ));
    machine.load(process, HUGE);
    story.step('One page loses its rights to write: 512 entries.', machine.entry(process, HUGE + HUGE_BYTES));
  },
};

export const WALK_LABS: readonly Lab[] = [demand, huge, ...LABS];
