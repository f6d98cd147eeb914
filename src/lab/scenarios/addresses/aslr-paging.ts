/** Randomized addresses cost nothing under paging: the same frame at another address in each process. */

import { toHex } from '../../../../hw/base/address.js';
import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { LabMapping } from '../../../report/results/lab-result.js';
import type { Lab, Story } from '../../story.js';

const IN_A = 0x7f3a_bc00_0000;
const IN_B = 0x7f8e_1200_0000;
const FRAME = 0x12345;
const PROCESSES = 2000;
const SEED = 2026;

function pair(story: Story): PagedMachine {
  const machine = new PagedMachine((FRAME + 0x100) * 4096);
  story.on(machine);
  const library = machine.file('libc', 4096, [FRAME]);
  const [a, b] = [machine.spawn(), machine.spawn()];
  machine.map(a, 4096, { at: IN_A, rights: 'r-x', file: library });
  machine.map(b, 4096, { at: IN_B, rights: 'r-x', file: library });
  machine.fetch(a, IN_A);
  machine.fetch(b, IN_B);
  const frames = [machine.frame(a, IN_A), machine.frame(b, IN_B)];
  story.step(
    'A library is mapped at an address of its own in each process, and is in memory once.',
    `A: ${toHex(IN_A)} leads to frame ${toHex(frames[0])}`,
    `B: ${toHex(IN_B)} leads to frame ${toHex(frames[1])}`,
  );
  story.maps(machine.mapping('A', a, IN_A), machine.mapping('B', b, IN_B));
  const entry = 'Entry: frame=0x12345';
  story.figure('addressInA', 'address of the library in A', toHex(IN_A), says('0x7F3A_BC00_0000', '0x7F3A_BC00_0000'));
  story.figure('addressInB', 'address of the library in B', toHex(IN_B), says('0x7F8E_1200_0000', '0x7F8E_1200_0000'));
  story.figure('frameInA', 'frame behind it in A', toHex(frames[0]), says(entry, '0x12345'));
  story.figure('frameInB', 'frame behind it in B', toHex(frames[1]), says(entry, '0x12345'));
  const copies = new Set(frames).size;
  const physical = toHex(machine.physical(a, IN_A));
  story.figure('physical', 'physical address of its page', physical, says('0x12345000', '0x12345000'));
  story.figure('copies', 'copies in memory', copies, says('Physical memory contains only one copy of libc.', 'one'));
  return machine;
}

/** Bits to guess from, by the spread of numbers drawn in steps of `unit`. */
export function bitsToGuess(numbers: readonly number[], unit: number): number {
  return Math.log2((Math.max(...numbers) - Math.min(...numbers)) / unit);
}

/** Bits of the address, not the same in all of `addresses`. */
function varyingBits(addresses: readonly number[]): number {
  let bits = 0;
  for (let bit = 12; bit < 47; bit++) {
    const ones = addresses.filter((address) => Math.floor(address / 2 ** bit) % 2 === 1).length;
    if (ones > 0 && ones < addresses.length) bits++;
  }
  return bits;
}

function many(story: Story): void {
  const machine = new PagedMachine(64 * 2 ** 20, { seed: SEED });
  const library = machine.file('libc', 4096);
  const frames = new Set<number>();
  const first: LabMapping[] = [];
  const addresses = Array.from({ length: PROCESSES }, () => {
    const process = machine.spawn();
    const at = machine.map(process, 4096, { rights: 'r-x', file: library });
    machine.fetch(process, at);
    frames.add(machine.frame(process, at));
    if (first.length < 3) first.push(machine.mapping(`process ${first.length + 1}`, process, at));
    machine.exit(process);
    return at;
  });
  const entropy = bitsToGuess(addresses, 4096);
  story.step(
    `${PROCESSES} processes get their addresses from the kernel.`,
    `different addresses: ${new Set(addresses).size}; frames: ${frames.size}`,
    `first three: ${addresses.slice(0, 3).map(toHex).join(', ')}`,
    `they spread over 2^${entropy.toFixed(1)} pages: about that many bits to guess`,
  );
  story.maps(...first);
  const different = new Set(addresses).size;
  story.figure('processes', 'processes', PROCESSES);
  story.figure(
    'differentAddresses',
    'different addresses of the library in them',
    different,
    claims('Each process has unique virtual address layout.', different === PROCESSES),
  );
  story.figure(
    'framesForAll',
    'frames for all of them',
    frames.size,
    claims('The physical frames are still shared—only the virtual mapping changes.', frames.size === 1),
    1,
  );
  const fully = different === PROCESSES && frames.size === 1;
  story.figure(
    'fullSharing',
    'every address another one, and all of one frame',
    fully,
    claims('Full ASLR randomization + Full sharing!', fully),
  );
  story.figure(
    'entropyBits',
    'bits to guess, as Linux has on x86-64',
    Math.round(entropy),
    claims("Attackers can't predict addresses.", Math.round(entropy) === 28),
    28,
  );
  story.figure('varyingAddressBits', 'address bits that differ', varyingBits(addresses));
}

function segmented(): SegmentMachine {
  const machine = new SegmentMachine(2 ** 20);
  const a = machine.spawn();
  const library = machine.create(a, 'code', 4096, 'libc');
  const b = machine.spawn();
  machine.fetch(a, library, 0);
  machine.fetch(b, machine.share(a, library, b), 0);
  return machine;
}

export const aslrPaging: Lab = {
  name: 'aslr-paging',
  title: 'Random addresses and one copy, under paging',
  run(story) {
    const machine = pair(story);
    many(story);
    story.compare('Two processes share one page of a library, and execute it.', segmented().cost(), machine.cost());
  },
};
