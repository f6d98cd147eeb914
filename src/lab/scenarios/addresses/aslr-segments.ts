/** Random addresses under segmentation: one predictable copy or two, and the third way, overlooked by the chapter. */

import { addressOfFrame, toHex } from '../../../../hw/base/address.js';
import { PTE_P, PTE_RW, PTE_US } from '../../../../hw/x86/format.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { Random } from '../../../../hw/base/random.js';
import { CR0_ET, CR0_PE, CR0_PG } from '../../../../hw/x86/registers.js';
import { packSegment } from '../../../../hw/x86/segmentation/descriptor.js';
import { SegmentedCore } from '../../../../hw/x86/segmentation/core.js';
import { loadGdt } from '../../../../hw/x86/segmentation/table-registers.js';
import { writeRegisters } from '../../../../hw/x86/write-registers.js';
import { must } from '../../../kernel/abi/must.js';
import { READABLE_CODE } from '../../../segments/segment-table.js';
import { formatCount } from '../../../report/output/units.js';
import type { SegmentProcess } from '../../../segments/process.js';
import { claims, says } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import { bitsToGuess } from './aslr-paging.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { LabMapping } from '../../../report/results/lab-result.js';
import type { Lab, Story } from '../../story.js';

const BASE_A = 0x4000_0000;
const BASE_B = 0x6000_0000;
const BYTES = 65536;
const ARENA = 0x6010_0000;
const PROCESSES = 200;
const SEED = 11;
/** The library's segment number in the chapter's figure. */
const NUMBER = 5;
/** The numbers to draw selectors from. */
const NUMBERS = 1024;

function bases(machine: SegmentMachine, holders: readonly (readonly [SegmentProcess, number])[]): number[] {
  return holders.map(([process, selector]) => machine.segment(process, selector).base);
}

function optionA(story: Story): SegmentMachine {
  const machine = new SegmentMachine(ARENA);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const loader = machine.spawn();
  const library = machine.create(loader, 'code', BYTES, 'libc', BASE_A);
  const [inA, inB] = [a, b].map((process) =>
    machine.run((kernel) => must(kernel.share(loader, library, process, { index: NUMBER, kind: 'code' }))),
  );
  machine.fetch(a, inA, 0);
  machine.fetch(b, inB, 0);
  const found = bases(machine, [
    [a, inA],
    [b, inB],
  ]);
  story.step(
    'Option A: one segment for both. One copy, and its base is the same in every process, so it can be guessed.',
    `A: ${machine.descriptor(a, inA)}`,
    `B: ${machine.descriptor(b, inB)}`,
    `bytes in memory: ${machine.usedBytes}`,
  );
  story.maps(machine.mapping('A', a, inA), machine.mapping('B', b, inB));
  found.forEach((base, i) => {
    story.figure(`baseA${i}`, `option A: base in ${'AB'[i]}`, toHex(base), says('Base: 0x40000000', '0x40000000'));
  });
  [inA, inB].forEach((selector, i) => {
    story.figure(`numberA${i}`, `option A: segment number in ${'AB'[i]}`, selector >>> 3, says('Segment 5: libc', '5'));
  });
  const same = new Set(found).size === 1;
  const copies = machine.usedBytes / BYTES;
  const shared = claims('Share with fixed address (No ASLR)', copies === 1 && same);
  story.figure('copiesA', 'option A: copies in memory', copies, shared, 1);
  story.figure(
    'predictableA',
    'option A: the base is the same everywhere',
    same,
    claims('Attacker knows libc is always at 0x40000000!', same),
    true,
  );
  return machine;
}

function optionB(story: Story): void {
  const machine = new SegmentMachine(ARENA);
  const [a, b] = [machine.spawn(), machine.spawn()];
  const inA = machine.create(a, 'code', BYTES, 'libc A', BASE_A);
  const inB = machine.create(b, 'code', BYTES, 'libc B', BASE_B);
  const found = bases(machine, [
    [a, inA],
    [b, inB],
  ]);
  story.step(
    'Option B: a base of its own for each. Nobody can guess it from another process, but there are two copies.',
    `A: ${machine.descriptor(a, inA)}`,
    `B: ${machine.descriptor(b, inB)}`,
    `bytes in memory: ${machine.usedBytes}`,
  );
  story.maps(machine.mapping('A', a, inA), machine.mapping('B', b, inB));
  const different = found[0] !== found[1];
  story.figure(
    'basesDifferB',
    'option B: the bases differ',
    different,
    claims('Randomize addresses (No sharing)', different),
  );
  story.figure('baseB0', 'option B: base in A', toHex(found[0]), says('Base: 0x40000000', '0x40000000'));
  story.figure('baseB1', 'option B: base in B', toHex(found[1]), says('Base: 0x60000000', '0x60000000'));
  const copies = machine.usedBytes / BYTES;
  story.figure(
    'copiesB',
    'option B: copies in memory',
    copies,
    claims('Two physical copies needed - defeats sharing!', copies === 2),
    2,
  );
}

/** Bits to guess from the addresses that the paged kernel draws. */
function pagedBits(): number {
  const machine = new PagedMachine(8 * 2 ** 20, { seed: SEED });
  const library = machine.file('libc', BYTES);
  const addresses = Array.from({ length: PROCESSES }, () => {
    const process = machine.spawn();
    const at = machine.map(process, BYTES, { rights: 'r-x', file: library });
    machine.exit(process);
    return at;
  });
  return Math.round(bitsToGuess(addresses, 4096));
}

/** A program names a segment by selector: that can be random while the base stays one. */
function randomSelectors(story: Story): void {
  const machine = new SegmentMachine(4 * 2 ** 20, { arenaBase: 4 * 2 ** 20 - 2 ** 20 });
  const random = new Random(SEED);
  const owner = machine.spawn();
  const library = machine.create(owner, 'code', BYTES, 'libc');
  const first: LabMapping[] = [];
  const selectors = Array.from({ length: PROCESSES }, () => {
    const process = machine.spawn();
    const selector = machine.run((kernel) => {
      return must(kernel.share(owner, library, process, { index: random.below(NUMBERS), kind: 'code' }));
    });
    must(machine.fetch(process, selector, 0));
    if (first.length < 3) first.push(machine.mapping(`process ${first.length + 1}`, process, selector));
    machine.run((kernel) => {
      kernel.exit(process);
    });
    return selector;
  });
  const different = new Set(selectors).size;
  const bits = { selectors: Math.round(bitsToGuess(selectors, 8)), addresses: pagedBits() };
  story.step(
    'A third way, not in the chapter: a program says selector and offset, and never sees the base. With a random selector in each process there is one copy, and little to guess from.',
    `${PROCESSES} processes: ${different} different selectors, ${machine.usedBytes / BYTES} copy`,
    `first three: ${selectors.slice(0, 3).map(toHex).join(', ')}`,
    `drawn from ${formatCount(NUMBERS)} numbers: ${bits.selectors} bits to guess, against ${bits.addresses} under paging`,
  );
  story.maps(...first);
  story.why(
    `A selector's index has 13 bits, so no table of segments can hide a library in more than ${2 ** 13} numbers; each takes a descriptor of 8 bytes in the table, used or not. Addresses of 47 bits leave Linux 28 bits to draw.`,
  );
  story.figure('differentSelectors', `different selectors in ${PROCESSES} processes`, different);
  story.figure('entropyBits', 'bits to guess, by random selectors', bits.selectors, Math.log2(NUMBERS));
  story.figure('entropyBitsPaging', 'bits to guess, by random addresses', bits.addresses, 28);
  story.figure(
    'copiesWithRandomSelectors',
    'copies with random selectors',
    machine.usedBytes / BYTES,
    claims(
      'If all processes must share the same segment, they must agree on its virtual address.',
      different === 1,
      'a virtual address begins with the selector, and each process has one of its own for the same segment',
    ),
    1,
  );
}

const GDT = 0x1000;
const CODE_SELECTOR = (1 << 3) | 3;
const LIBRARY_FRAME = 0x40;
/** A page directory and a page table for each process. */
const DIRECTORIES = [0x10, 0x20];

/** Where a library lies: its segment's base, and the frame behind that. */
interface Place {
  readonly base: number;
  readonly frame: number;
}

/** Maps the library at `base` for the user, and the GDT for the kernel. */
function mapLibrary(ram: Ram, directory: number, base: number): void {
  const low = PTE_P | PTE_RW | PTE_US;
  const table = directory + 1;
  ram.store32(0, addressOfFrame(directory) + (base >>> 22) * 4, addressOfFrame(table) | low);
  ram.store32(0, addressOfFrame(table) + ((base >>> 12) & 1023) * 4, addressOfFrame(LIBRARY_FRAME) | low);
  // The processor itself finds the GDT at its linear address, so every process maps it, for the kernel only.
  ram.store32(0, addressOfFrame(directory), addressOfFrame(directory + 2) | PTE_P | PTE_RW);
  ram.store32(0, addressOfFrame(directory + 2) + (GDT >>> 12) * 4, GDT | PTE_P | PTE_RW);
}

/** Paging off, then on again with the directory of another process. */
function enterDirectory(mmu: Mmu, directory: number): void {
  mmu.writeCr0(CR0_ET | CR0_PE);
  must(writeRegisters(mmu, { cr0: CR0_PE | CR0_PG, cr3Hi: 0, cr3Lo: addressOfFrame(directory), cr4: 0, efer: 0 }));
}

/** Executes the first bytes of a code segment at `base`. @returns where the processor found them */
function executeAt(core: SegmentedCore, base: number): Place {
  const { mmu, unit } = core;
  const { hi, lo } = packSegment({
    base,
    limit: 4095,
    type: READABLE_CODE,
    codeOrData: true,
    privilege: 3,
    present: true,
    available: false,
    long: false,
    big: true,
    granular: false,
  });
  mmu.ram.store64(0, GDT + 8, hi, lo);
  unit.cpl = 0;
  must(loadGdt(unit, 0, GDT, 15));
  core.forgetSegments();
  core.cpl = 3;
  must(core.fetchFrom(CODE_SELECTOR, 0, 4));
  return { base: unit.cs.baseLo >>> 0, frame: mmu.firstFrame };
}

/** With paging behind segmentation the bases are linear addresses; all lead to the same frames. */
function linearAddresses(story: Story): void {
  const core = new SegmentedCore(new Mmu({ ram: new Ram({ bytes: 2 ** 20 }) }));
  const { mmu } = core;
  const inhabitants = [BASE_A, BASE_B].map((base, i) => {
    const regions = [
      { start: GDT, bytes: 4096, about: "the GDT, the kernel's own" },
      { start: base, bytes: 4096, about: 'the library' },
    ];
    return { pid: i + 1, root: addressOfFrame(DIRECTORIES[i]), regions };
  });
  story.on({ mmu, inhabitants });
  const places = [BASE_A, BASE_B].map((base, i) => {
    mapLibrary(mmu.ram, DIRECTORIES[i], base);
    enterDirectory(mmu, DIRECTORIES[i]);
    return executeAt(core, base);
  });
  tellPlaces(story, places);
}

function tellPlaces(story: Story, places: readonly Place[]): void {
  story.step(
    'Likewise with paging behind segmentation: bases are linear addresses, different in A and B, and page tables lead both to the same frame.',
    ...places.map(({ base, frame }, i) => `${'AB'[i]}: base ${toHex(base)}, frame ${toHex(frame)}`),
  );
  story.maps(
    ...places.map(({ base, frame }, i) => ({
      who: 'AB'[i],
      at: `linear ${toHex(base)}`,
      to: `frame ${toHex(frame)}`,
      rights: 'read-only',
    })),
  );
  places.forEach(({ base }, i) => {
    const label = `segments over pages: base in ${'AB'[i]}`;
    story.figure(`linearBase${i}`, label, toHex(base), toHex([BASE_A, BASE_B][i]));
  });
  const copies = new Set(places.map(({ frame }) => frame)).size;
  story.figure('linearFrames', 'segments over pages: frames for both', copies, 1);
}

function paged(): PagedMachine {
  const machine = new PagedMachine(2 ** 20 * 4);
  const library = machine.file('libc', BYTES);
  for (const at of [BASE_A, BASE_B]) {
    const process = machine.spawn();
    machine.map(process, BYTES, { at, rights: 'r-x', file: library });
    machine.fetch(process, at);
  }
  return machine;
}

export const aslrSegments: Lab = {
  name: 'aslr-segments',
  title: 'Random addresses under segmentation',
  run(story) {
    const machine = optionA(story);
    optionB(story);
    randomSelectors(story);
    linearAddresses(story);
    const pages = paged();
    story.on(pages);
    story.compare('Two processes share a library of 64 KiB, and execute it (option A).', machine.cost(), pages.cost());
  },
};
