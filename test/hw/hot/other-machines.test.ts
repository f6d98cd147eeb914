import { describe, expect, it, vi } from 'vitest';
import { DESC_AF, DESC_VALID } from '../../../hw/aarch64/format.js';
import { AArch64Walks } from '../../../hw/aarch64/walks.js';
import { READ } from '../../../hw/base/access.js';
import type { Word64 } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';
import { RISCV_PTE_A, RISCV_PTE_D, RISCV_PTE_R, RISCV_PTE_V } from '../../../hw/riscv/format.js';
import { RiscvWalks } from '../../../hw/riscv/walks.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import type { TranslationPath } from '../../../hw/translate/path/caches.js';
import { RandomPe } from '../aarch64/random-tables.js';
import * as pe from '../aarch64/tables.js';
import { RandomHart, TABLE_FRAMES } from '../riscv/random-tables.js';
import * as hart from '../riscv/tables.js';
import { expectSameOutcomes } from './outcomes.js';
import type { Subject } from './outcomes.js';

type Make = (ram: Ram, seed: number, path: TranslationPath) => Subject;

const TWO = { entries: 2, ways: 2 };
const TLB = { ...parseTlb('6x2+8x4'), walkCaches: { level1: TWO, level2: TWO, level3: TWO, level4: TWO } };
/** RISC-V: RWX, of pages alone. */
const LEAF = 14;
/** N, PBMT and reserved bits. */
const ABOVE_FRAME = 0xffc0_0000;
/** AArch64: tables of stage 1 lie in the first MiB. */
const PE_FRAMES = 256;
/** Rights taken away by a descriptor for a table. */
const HIERARCHICAL = 0x7800_0000;

/** Random tables with entries as they are after a while, most often: accessed, dirty, with nothing odd. */
const makeHart: Make = (ram, seed, path) => {
  const mode = (['sv32', 'sv39', 'sv48', 'sv57'] as const)[seed & 3];
  const random = new RandomHart(ram, { mode }, seed);
  const { words } = ram;
  const wide = mode !== 'sv32';
  for (let at = 0; at < TABLE_FRAMES * 1024; at += wide ? 2 : 1) {
    if ((words[at] & RISCV_PTE_V) === 0) continue;
    if ((words[at] & LEAF) !== 0 && random.chance(0.9)) words[at] |= RISCV_PTE_A | RISCV_PTE_D | RISCV_PTE_R;
    if (wide && random.chance(0.95)) words[at + 1] &= ~ABOVE_FRAME;
  }
  const { hart: machine } = random.boot(TLB, path);
  const change = (address: Word64): void => {
    if (random.chance(0.3)) machine.sfenceVma(random.chance(0.5) ? address : null);
    if (random.chance(0.3)) machine.writeCsr('satp', machine.readCsr('satp') ^ BigInt(random.random.below(2)));
    if (random.chance(0.3)) machine.setPrivilege(random.chance(0.5) ? 'U' : 'S');
  };
  return { machine, random, tableFrames: TABLE_FRAMES, change };
};

const makePe: Make = (ram, seed, path) => {
  const granule = ([12, 14, 16] as const)[(seed >>> 0) % 3];
  const cpu = (['max', 'neoverse-n1', 'cortex-a72'] as const)[(seed >>> 8) % 3];
  const random = new RandomPe(ram, { cpu, granule, ds: ((seed >>> 16) & 1) === 1 }, seed);
  const { words } = ram;
  for (let at = 0; at < PE_FRAMES * 1024; at += 2) {
    if ((words[at] & DESC_VALID) === 0) continue;
    if (random.chance(0.9)) words[at] |= DESC_AF;
    if (random.chance(0.95)) words[at + 1] &= ~HIERARCHICAL;
  }
  const { pe: machine } = random.boot(TLB, path);
  const change = ({ hi, lo }: Word64): void => {
    const page = { hi: (hi >>> 12) & 0xfff, lo: (hi << 20) | (lo >>> 12) };
    if (random.chance(0.3)) machine.tlbi(random.chance(0.5) ? 'VAAE1' : 'VMALLE1', page);
    if (random.chance(0.3)) machine.writeTtbr0(0, random.random.below(2) << 16);
    if (random.chance(0.3)) machine.setExceptionLevel(random.chance(0.5) ? 0 : 1);
  };
  return { machine, random, tableFrames: PE_FRAMES, change };
};

describe('hot loops of other machines', () => {
  it.each<[string, TranslationPath, Make]>([
    ['RISC-V', 'walk', makeHart],
    ['RISC-V', 'soft', makeHart],
    ['RISC-V', 'modelled', makeHart],
    ['AArch64', 'walk', makePe],
    ['AArch64', 'soft', makePe],
    ['AArch64', 'modelled', makePe],
  ])('find, load, keep, count and refuse what the plain path does: %s, %s', (_name, path, make) => {
    expectSameOutcomes((ram, seed) => make(ram, seed, path), 8);
  });

  it('need no help of the plain path for settled pages of 4 KiB, 16 KiB and 64 KiB, and of Sv39', () => {
    const machines = [];
    for (const granule of [12, 14, 16] as const) {
      const tables = new pe.Tables(granule);
      const root = tables.root();
      tables.map(root, 0x1_0000, pe.DATA, pe.NG);
      machines.push({ machine: tables.pe(root, tables.tcr(), { path: 'walk' }), frame: pe.DATA / 4096 });
    }
    const tables = new hart.Tables();
    const root = tables.root();
    tables.map(root, 0x1_0000, hart.DATA, hart.RWX);
    machines.push({ machine: tables.hart(root, { path: 'walk' }), frame: hart.DATA });
    const walks = [AArch64Walks, RiscvWalks].flatMap(({ prototype }) =>
      (['walk', 'settled'] as const).map((name) => vi.spyOn(prototype, name)),
    );
    for (const { machine, frame } of machines) {
      const los = new Int32Array(500).fill(0x1_0000);
      const frames = new Int32Array(500);
      expect(machine.translateMany(new Int32Array(500), los, 500, READ, frames)).toBe(500);
      expect(new Set(frames)).toEqual(new Set([frame]));
    }
    for (const walk of walks) expect(walk).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});
