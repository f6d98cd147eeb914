/**
 * Prices of the processors with presets of TLBs, each number with its source. They stand in until `pagewalk calibrate`
 * measures a machine. docs/time-model.md lists the sources in full.
 */

import { checkKind, TEXT } from '../../../hw/base/arguments.js';
import type { MachinePrices, PricedCache } from '../../report/results/prices.js';
import { PRICES_VERSION } from '../../report/results/schema-version.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes, ways, and the cycles of a load answered there. */
type Level = readonly [bytes: number, ways: number, cycles: number];

interface Core {
  readonly gigahertz: number;
  /** Instructions a cycle, at most. */
  readonly width: number;
  readonly l1: Level;
  readonly l2: Level;
  readonly l3: Level | null;
  /** Cores around the third level. */
  readonly sharing: number;
  readonly memoryNs: number;
  readonly misses: number;
  readonly walkers: number;
  readonly source: string;
}

/** An L2 TLB hit: Golden Cove, Zen 4 and Zen 5 by jia.je 2025-01-10; model default for the others. */
const L2_TLB_HIT_CYCLES = 7;
/** Model default for servers: random loads from 128 MiB took 113 to 122 ns on EPYC 7742, TLB misses among them (AnandTech 14694). */
const SERVER_MEMORY_NS = 100;
/** First touch of 4 KiB: 1,013 ns in the median on Linux 6.6, zeroing included (ddumbying.vercel.app, 2024). */
const FAULT_NS = 800;
/** Zeroing 2 MiB took 97 us: LKML, "pre-zero the hugepage", March 2024. */
const ZERO_NS_PER_BYTE = 0.046;
/** A fork takes 10 to 20 ms a GiB of 4 KiB pages: Redis documentation, "Fork time in different systems". */
const FORK_NS_PER_ENTRY = 50;
/** Found by `fitWalkFactor` on one virtual machine, a Xeon of 2024: docs/time-model.md has the rows. */
const WALK_FACTOR = { low: 0.9, high: 2.3 };
const DEFAULT = 'model default';

const CORES: Readonly<Record<string, Core>> = {
  skylake: {
    gigahertz: 4,
    width: 4,
    l1: [32 * KIB, 8, 4],
    l2: [256 * KIB, 4, 12],
    l3: [8 * MIB, 16, 44],
    sharing: 4,
    memoryNs: 65,
    misses: 12,
    walkers: 2,
    source: `Intel optimization manual, "Skylake Client" (caches, 2 walks at once); ${DEFAULT}: memory, 12 misses`,
  },
  'skylake-x': {
    gigahertz: 4,
    width: 4,
    l1: [32 * KIB, 8, 4],
    l2: [MIB, 16, 13],
    l3: [22 * MIB, 11, 77],
    sharing: 16,
    memoryNs: SERVER_MEMORY_NS,
    misses: 12,
    walkers: 2,
    source: `AnandTech 11550 (caches, 1.375 MiB of L3 a core); as skylake: 12 misses, 2 walks; ${DEFAULT}: 16 cores, memory`,
  },
  'ice-lake': {
    gigahertz: 3.4,
    width: 5,
    l1: [48 * KIB, 12, 5],
    l2: [1280 * KIB, 20, 14],
    l3: [48 * MIB, 12, 70],
    sharing: 32,
    memoryNs: SERVER_MEMORY_NS,
    misses: 12,
    walkers: 2,
    source: `WikiChip, Ice Lake server (sizes); ${DEFAULT}: latencies, misses and walks at once`,
  },
  'golden-cove': {
    gigahertz: 3.5,
    width: 6,
    l1: [48 * KIB, 12, 5],
    l2: [2 * MIB, 16, 15],
    l3: [60 * MIB, 15, 110],
    sharing: 32,
    memoryNs: SERVER_MEMORY_NS,
    misses: 16,
    walkers: 4,
    source: `chipsandcheese.com, "A Peek at Sapphire Rapids" (caches); cpunews.net, Alder Lake (16 misses, 4 walks); ${DEFAULT}: memory`,
  },
  zen2: {
    gigahertz: 3.4,
    width: 6,
    l1: [32 * KIB, 8, 4],
    l2: [512 * KIB, 8, 13],
    l3: [16 * MIB, 16, 34],
    sharing: 4,
    memoryNs: SERVER_MEMORY_NS,
    misses: 24,
    walkers: 2,
    source: `AnandTech 14694, EPYC 7742 (caches); WikiChip (walkers); ${DEFAULT}: memory, 24 misses as Zen 3`,
  },
  zen3: {
    gigahertz: 3.5,
    width: 6,
    l1: [32 * KIB, 8, 4],
    l2: [512 * KIB, 8, 12],
    l3: [32 * MIB, 16, 46],
    sharing: 8,
    memoryNs: SERVER_MEMORY_NS,
    misses: 24,
    walkers: 6,
    source: `AMD 56665, family 19h optimization guide (caches, misses); AnandTech 16214 (6 walkers); ${DEFAULT}: memory`,
  },
  zen4: {
    gigahertz: 3.7,
    width: 6,
    l1: [32 * KIB, 8, 4],
    l2: [1 * MIB, 8, 14],
    l3: [32 * MIB, 16, 50],
    sharing: 8,
    memoryNs: SERVER_MEMORY_NS,
    misses: 24,
    walkers: 6,
    source: `chipsandcheese.com, "AMD's Zen 4, Part 2" (caches); ${DEFAULT}: memory, misses and walks as Zen 3`,
  },
  zen5: {
    gigahertz: 4.1,
    width: 8,
    l1: [48 * KIB, 12, 4],
    l2: [1 * MIB, 16, 14],
    l3: [32 * MIB, 16, 50],
    sharing: 8,
    memoryNs: SERVER_MEMORY_NS,
    misses: 24,
    walkers: 6,
    source: `Hot Chips 2024 (caches); ${DEFAULT}: memory, misses and walks as Zen 3`,
  },
  'cortex-a76': {
    gigahertz: 2.8,
    width: 4,
    l1: [64 * KIB, 4, 4],
    l2: [512 * KIB, 8, 9],
    l3: [4 * MIB, 16, 31],
    sharing: 4,
    memoryNs: SERVER_MEMORY_NS,
    misses: 20,
    walkers: 4,
    source: `Arm TRM 100798, A6 (L1); WikiChip (L2, L3); ${DEFAULT}: memory, misses and walks at once`,
  },
  'neoverse-n1': {
    gigahertz: 3,
    width: 4,
    l1: [64 * KIB, 4, 4],
    l2: [1 * MIB, 8, 11],
    l3: [32 * MIB, 16, 90],
    sharing: 64,
    memoryNs: SERVER_MEMORY_NS,
    misses: 20,
    walkers: 4,
    source: `learn.arm.com, "Cache levels" (sizes, Graviton2); chipsandcheese.com, "Deep Diving Neoverse N1" (times); ${DEFAULT}: memory, misses and walks at once`,
  },
  'sifive-u74': {
    gigahertz: 1.5,
    width: 2,
    l1: [32 * KIB, 8, 3],
    l2: [2 * MIB, 16, 22],
    l3: null,
    sharing: 1,
    memoryNs: 150,
    misses: 4,
    walkers: 1,
    source: `JH7110 device tree (sizes); ${DEFAULT}: all times, and what goes on at once`,
  },
};

/** Processors without prices of their own, and the ones to stand in for them. */
const SERVED_BY: Readonly<Record<string, string>> = {
  'sapphire-rapids': 'golden-cove',
  'granite-rapids': 'golden-cove',
  'neoverse-v2': 'neoverse-n1',
  'apple-m1': 'cortex-a76',
  'sifive-p550': 'sifive-u74',
};

/** The processor to take prices from for TLBs without a name. */
const FALLBACK = 'skylake';

function cacheOf([bytes, ways, cycles]: Level, gigahertz: number): PricedCache {
  return { bytes, ways, ns: cycles / gigahertz };
}

/** The prices for a TLB of this name: its processor's, or Skylake's for a shape without one. @throws TypeError for no text */
export function pricesFor(tlb: string): MachinePrices {
  checkKind('pricesFor: tlb', tlb, TEXT);
  const name = tlb in CORES ? tlb : (SERVED_BY[tlb] ?? FALLBACK);
  const core = CORES[name];
  const { gigahertz } = core;
  const touch = { faultNs: FAULT_NS, zeroNsPerByte: ZERO_NS_PER_BYTE };
  return {
    version: PRICES_VERSION,
    source: tlb in SERVED_BY ? `${tlb}: as ${name}; ${core.source}` : `${name}: ${core.source}`,
    nsPerInstruction: 1 / core.width / gigahertz,
    nsPerCycle: 1 / gigahertz,
    caches: {
      l1: cacheOf(core.l1, gigahertz),
      l2: cacheOf(core.l2, gigahertz),
      l3: core.l3 === null ? null : { ...cacheOf(core.l3, gigahertz), shareBytes: core.l3[0] / core.sharing },
    },
    memoryNs: core.memoryNs,
    missesInFlight: core.misses,
    walksInFlight: core.walkers,
    walkFactor: WALK_FACTOR,
    l2TlbHitNs: L2_TLB_HIT_CYCLES / gigahertz,
    nested: 'none',
    firstTouch: { '4K': touch, '2M': touch, '1G': touch },
    forkNsPerEntry: FORK_NS_PER_ENTRY,
  };
}
