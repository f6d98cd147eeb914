import { describe, expect, it } from 'vitest';
import { READ } from '../../../../hw/base/access.js';
import { BUS_ERROR } from '../../../../hw/base/fault.js';
import type { Ram } from '../../../../hw/memory/ram.js';
import { NO_TLB } from '../../../../hw/tlb/presets.js';
import type { TranslationEvent } from '../../../../hw/translate/walk/events.js';
import { INVPCID_ALL_WITH_GLOBALS } from '../../../../hw/x86/mmu.js';
import { INVEPT_GLOBAL, INVVPID_ALL_CONTEXTS } from '../../../../hw/x86/nested/virtual-machines.js';
import { CR4_PGE } from '../../../../hw/x86/registers.js';
import type { TrialOptions } from '../../against-reference.js';
import { eventsAreTrue, eventsTellWhatHappens } from '../../events-of-walks.js';
import type { EventTrial } from '../../events-of-walks.js';
import type { LeftRights } from '../../event-ledger.js';
import { leftByTables } from '../left-rights.js';
import { RandomMachine } from '../random-tables.js';
import { DATA, Nest, PAGE } from './nest.js';
import { ALL_TABLES, RandomHost } from './random-host.js';

const NESTS = [
  ['none', 'ept', '4l'],
  ['32', 'ept', '4l'],
  ['4l', 'ept', '5l'],
  ['pae', 'npt', '32'],
  ['5l', 'npt', 'pae'],
  ['4l', 'npt', '4l'],
] as const;

/** R, W, X as in entries, and XU, bit 10 of an entry, in bit 3. Without mode-based execute control it makes none present. */
function leftByEpt(modeBasedExecute: boolean): LeftRights {
  const present = modeBasedExecute ? 0x407 : 7;
  const after = (left: number, _high: number, low: number): number =>
    (low & present) === 0 ? 0 : left & ((low & 7) | ((low >>> 7) & 8));
  return { bytes: 8, root: 15, after };
}

describe.each(NESTS)('a guest in mode %s over %s, host in mode %s', (mode, kind, hostMode) => {
  const make = (ram: Ram, seed: number, { tlb, path }: TrialOptions): EventTrial => {
    const random = new RandomMachine(ram, mode, seed);
    const { mmu, state } = random.boot(path === undefined ? { tlb } : { path });
    const { vm } = mmu;
    const machine = new RandomHost(ram, random.random, kind, hostMode);
    const { host } = machine;
    machine.enter(mmu, state.flags.ac, state.pdptes);
    /** Leaves the guest, does something, and goes back. */
    const outside = (act: () => unknown, tlbControl: 0 | 1 | 3 | 7 = 0): void => {
      const { current } = vm;
      vm.vmexit();
      act();
      if (current === null) return;
      if ('eptp' in current) vm.vmlaunch(current);
      else vm.vmrun({ ...current, tlbControl });
    };
    return {
      random,
      machine: mmu,
      rights: (stage) => {
        if (stage === 1) return leftByTables(mode);
        return host.kind === 'ept' ? leftByEpt(host.mbe) : leftByTables(host.mode);
      },
      instructions: [
        ({ hi, lo }) => {
          mmu.invlpg(hi, lo);
        },
        () => mmu.writeCr3(0, Number(mmu.cr3)),
        () => mmu.writeCr4(mmu.cr4 ^ CR4_PGE),
        ({ lo }) => {
          outside(() => mmu.translate(0, lo, READ));
        },
        () => {
          outside(() => vm.invvpid(INVVPID_ALL_CONTEXTS, 0), 7);
        },
        () => {
          outside(() => vm.invept(INVEPT_GLOBAL), 3);
        },
      ],
      flush: () => {
        outside(() => vm.invept(INVEPT_GLOBAL), 1);
        vm.vmexit();
        mmu.invpcid(INVPCID_ALL_WITH_GLOBALS, 0, 0, 0);
      },
    };
  };

  eventsAreTrue(make, 12);
  eventsTellWhatHappens(ALL_TABLES * 1024, make, 2);
});

describe('after a guest', () => {
  const walkCaches = { level1: { entries: 4, ways: 4 } };

  /** Leaves the guest for a host with a page at 0x80000000. */
  function toHost(nest: Nest): void {
    const tables = [nest.frame(), nest.frame(), nest.frame(), nest.frame()];
    tables.forEach((table, n) => {
      nest.put(table * 4096 + (n === 1 ? 16 : 0), BigInt((tables[n + 1] ?? DATA) * 4096 + 7));
    });
    nest.mmu.vm.vmexit();
    nest.mmu.writeCr3(0, tables[0] * 4096);
  }

  it('of 32-bit paging, a dropped table of it has 4 MiB, and one of the host 2 MiB', () => {
    const nest = new Nest('ept', { guest: '32', tlb: { ...NO_TLB, walkCaches, secondStageWalkCaches: {} } });
    nest.tell(READ);
    toHost(nest);
    expect(nest.mmu.translate(0, 0x8000_0000 | 0, READ)).toBe(DATA);
    const told: number[][] = [];
    nest.mmu.listen((event) => {
      if (event.kind === 'drop') told.push([event.shift, event.lo]);
    });
    nest.mmu.vm.invept(INVEPT_GLOBAL);
    nest.mmu.invpcid(INVPCID_ALL_WITH_GLOBALS, 0, 0, 0);
    expect(told).toEqual([
      [22, PAGE & ~0x3f_ffff],
      [21, 0x8000_0000 | 0],
    ]);
  });

  it("who looks at the host's tables finds all of them to be of stage 1", () => {
    const nest = new Nest('ept');
    nest.mmu.observer.walk(0, PAGE, READ);
    toHost(nest);
    nest.mmu.observer.walk(0, 0x8000_0000 | 0, READ);
    expect(nest.mmu.observer.record.reads().map(({ stage }) => stage)).toEqual([1, 1, 1, 1]);
  });
});

it('MOV to CR3 for PDPTEs where no RAM answers is told with their physical address', () => {
  const nest = new Nest('ept', { guest: 'pae' });
  nest.mapHost(0x50_0000, 1 << 20);
  const told: TranslationEvent[] = [];
  nest.mmu.listen((event) => told.push(event));
  expect(nest.mmu.writeCr3(0, 0x50_0020)).toBe(BUS_ERROR);
  expect(told.at(-1)).toMatchObject({ kind: 'fault', of: 'instruction', hi: 1, lo: 0x20, level: -1 });
});
