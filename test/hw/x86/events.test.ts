import { describe } from 'vitest';
import { CR0_WP, CR4_PCIDE, CR4_PGE } from '../../../hw/x86/registers.js';
import { INVPCID_ALL, INVPCID_ALL_WITH_GLOBALS } from '../../../hw/x86/mmu.js';
import { eventsAreTrue } from '../events-of-walks.js';
import { leftByTables } from './left-rights.js';
import { MODES, RandomMachine } from './random-tables.js';

describe.each(MODES)('mode %s', (mode) => {
  eventsAreTrue((ram, seed, { tlb, path }) => {
    const random = new RandomMachine(ram, mode, seed);
    const { mmu } = random.boot(path === undefined ? { tlb } : { path });
    return {
      random,
      machine: mmu,
      rights: () => leftByTables(mode),
      instructions: [
        ({ hi, lo }) => {
          mmu.invlpg(hi, lo);
        },
        ({ lo }) => mmu.writeCr3(0, mmu.rules.mode === '4l' || mmu.rules.mode === '5l' ? lo & 3 : 0),
        () => mmu.writeCr4(mmu.cr4 ^ CR4_PCIDE),
        () => mmu.writeCr4(mmu.cr4 ^ CR4_PGE),
        () => mmu.writeCr0(mmu.cr0 ^ CR0_WP),
        () => mmu.invpcid(INVPCID_ALL, 0, 0, 0),
      ],
      flush: () => mmu.invpcid(INVPCID_ALL_WITH_GLOBALS, 0, 0, 0),
    };
  }, 12);
});
