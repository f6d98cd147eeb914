/**
 * TLB shapes of real processors, each number with its source. If two sources differ, both are stated.
 *
 * A number without a primary source says "model default" in its source, and so does every paging-structure cache, and all
 * that a second stage keeps: their sizes are mostly unpublished. All arrays replace by true LRU. This is the model's choice; real ones approximate it.
 */

import { checkKind, TEXT } from '../base/arguments.js';
import { SHIFT_1G, SHIFT_2M, SHIFT_4K, SHIFT_4M } from '../base/address.js';
import type { TlbArrayShape, TlbGeometry, TlbLevelShape, WalkCacheGeometry } from './hierarchy.js';

const ALL = [SHIFT_4K, SHIFT_2M, SHIFT_4M, SHIFT_1G];
const SMALL = [SHIFT_4K];
const LARGE = [SHIFT_2M, SHIFT_4M];
const UP_TO_LARGE = [...SMALL, ...LARGE];
const GIANT = [SHIFT_1G];
/** Four adjacent pages of 4 KiB. */
const COALESCED = 14;
/** Pages of AArch64: of granules, blocks, and contiguous sets of them. */
const ARM_SMALL = [SHIFT_4K, 14, 16];
const ARM_L1I = [...ARM_SMALL, SHIFT_2M, 25];
const ARM_L1D = [...ARM_SMALL, SHIFT_2M, 29];
const ARM_ALL = [...ARM_SMALL, SHIFT_2M, 25, 29, SHIFT_1G];

const OPTIMIZATION_MANUAL = 'Intel optimization manual, table 2-15';
const SKYLAKE_X =
  'as Skylake: AnandTech 11550 has the two side by side; CPUID 50654, descriptors 03H, 63H, 76H, B5H, C3H';
const ICE_LAKE = 'CPUID 706E5; WikiChip';
const GOLDEN_COVE = 'CPUID 90672; jia.je 2025-01-10';
const ZEN_2 = 'CPUID 870F10; WikiChip';
const ZEN_2_L2 = 'CPUID 870F10 leaf 80000006, EBX 68006400';
const ZEN_3 = 'CPUID A20F10; AnandTech 16214';
const ZEN_4 = 'CPUID A60F12';
const ZEN_5 = 'Hot Chips 2024; CPUID B40F40';
const A76 = 'Arm TRM 100798, A5.2.3: pages of 4K, 16K, 64K, 2M, 32M, 512M, 1G';
const A76_L1I = 'Arm TRM 100798, A5.2.1: pages of 4K, 16K, 64K, 2M, 32M';
const A76_L1D = 'Arm TRM 100798, A5.2.2: pages of 4K, 16K, 64K, 2M, 512M';
const N1 = 'model default: as Cortex-A76, which has the same core; not confirmed in its own manual';
const N1_L1I = 'Arm, "The Arm Neoverse N1 Platform": 48 entries, fully associative; model default: the page sizes';
const V2 = 'Arm TRM 102375; jia.je, "Arm Neoverse V2"';
const M1 = 'Apple Silicon CPU Optimization Guide; jia.je, "Apple M1"';
const SAPPHIRE_RAPIDS = 'as Golden Cove, its core: CPUID dumps of the two agree';
const GRANITE_RAPIDS = 'as Golden Cove: jia.je, "Intel Redwood Cove" measured 256 for code and 96 for data';
const U74 = 'JH7110 device tree';
const P550 = 'EIC7700 device tree: one set of 32 entries';
const UNCONFIRMED = 'model default: not confirmed in a primary source';
const WAYS_UNKNOWN = 'entries as published; model default: the ways';

/** AMD's leaf 80000006 gives ways by page size. */
function waysBySize(small: number, large: number): string {
  const ways = `leaf 80000006: ${small} ways for 4K, ${large} for 2M, which may be parts of one array skewed by size`;
  return `${ways}; model default: ${small} ways for both`;
}

function array(entries: number, ways: number, pages: readonly number[], source: string): TlbArrayShape {
  return { entries, ways, pages, source };
}

/** Fully associative. */
function full(entries: number, pages: readonly number[], source: string): TlbArrayShape {
  return array(entries, entries, pages, source);
}

/**
 * Model default: the shapes of the simulator ChampSim, all LRU. Its PSCL5, 4, 3 and 2 have 1, 1, 2 and 4 sets of
 * 2, 4, 4 and 8 ways.
 */
export const DEFAULT_WALK_CACHES: WalkCacheGeometry = {
  level4: { entries: 2, ways: 2 },
  level3: { entries: 4, ways: 4 },
  level2: { entries: 8, ways: 4 },
  level1: { entries: 32, ways: 8 },
};

/**
 * Model default: no source seen gives the size of one in a processor. Bhargava et al. (ASPLOS 2008) have a nested TLB apart,
 * too; Cortex-A76 keeps intermediate physical addresses of blocks in its second level (Arm TRM 100798, A5.2.3).
 */
export const DEFAULT_SECOND_STAGE: TlbLevelShape = [
  { entries: 64, ways: 4, pages: [SHIFT_4K, SHIFT_2M, SHIFT_4M, SHIFT_1G] },
];

const SKYLAKE: TlbGeometry = {
  name: 'skylake',
  l1Instruction: [
    array(128, 8, SMALL, `${OPTIMIZATION_MANUAL}; CPUID descriptor B5H says 64x8`),
    full(8, LARGE, OPTIMIZATION_MANUAL),
  ],
  l1Data: [
    array(64, 4, SMALL, OPTIMIZATION_MANUAL),
    array(32, 4, LARGE, 'CPUID descriptor 63H'),
    array(4, 4, GIANT, `${OPTIMIZATION_MANUAL}; CPUID descriptor 63H`),
  ],
  l2: [
    array(1536, 12, UP_TO_LARGE, `${OPTIMIZATION_MANUAL}; CPUID descriptor C3H says 6 ways`),
    array(16, 4, GIANT, 'CPUID descriptor C3H'),
  ],
  walkCaches: DEFAULT_WALK_CACHES,
};

const ICE_LAKE_L2 = [
  array(1024, 8, UP_TO_LARGE, ICE_LAKE),
  array(1024, 8, [...SMALL, ...GIANT], `${ICE_LAKE}; model default: which of the two holds a 4 KiB page`),
];

const GOLDEN_COVE_TLBS: TlbGeometry = {
  name: 'golden-cove',
  l1Instruction: [array(256, 8, SMALL, GOLDEN_COVE), array(32, 8, LARGE, GOLDEN_COVE)],
  l1Data: [
    array(96, 6, SMALL, 'Intel optimization manual, and the CPUID dump of Granite Rapids; CPUID 90672 says 64x4'),
    array(32, 4, LARGE, GOLDEN_COVE),
    full(8, GIANT, GOLDEN_COVE),
  ],
  l1Store: [full(16, ALL, GOLDEN_COVE)],
  l2: ICE_LAKE_L2,
  walkCaches: DEFAULT_WALK_CACHES,
};

/** A geometry with each of its arrays changed. */
function mapArrays(geometry: TlbGeometry, change: (one: TlbArrayShape) => TlbArrayShape): TlbGeometry {
  const { l1Data, l1Store, l1Instruction, l2, l2Instruction } = geometry;
  return {
    ...geometry,
    l1Data: l1Data.map(change),
    ...(l1Store !== undefined && { l1Store: l1Store.map(change) }),
    l1Instruction: l1Instruction.map(change),
    l2: l2.map(change),
    ...(l2Instruction !== undefined && { l2Instruction: l2Instruction.map(change) }),
  };
}

/** The same TLBs in another processor. */
function alike(geometry: TlbGeometry, name: string, why: string): TlbGeometry {
  return { ...mapArrays(geometry, (one) => ({ ...one, source: `${why}; ${one.source ?? ''}` })), name };
}

/**
 * With entries for four adjacent pages of 4 KiB. AMD's events count coalesced pages apart: reloads of data (45H), and hits
 * and misses of code (94H, 85H), in both levels. Zen 4's and Zen 5's say "a 16k page created from four adjacent 4k pages",
 * Zen 3's "4K or 16K page size".
 */
function coalescing(geometry: TlbGeometry, core: string): TlbGeometry {
  const source = `coalesced 16K: Linux, tools/perf/pmu-events/arch/x86/${core}`;
  const change = (one: TlbArrayShape): TlbArrayShape =>
    one.pages.includes(SHIFT_4K)
      ? { ...one, pages: [SHIFT_4K, COALESCED, ...one.pages.slice(1)], source: `${one.source ?? ''}; ${source}` }
      : one;
  return { ...mapArrays(geometry, change), coalesces: COALESCED };
}

const PRESETS: readonly TlbGeometry[] = [
  SKYLAKE,
  alike(SKYLAKE, 'skylake-x', SKYLAKE_X),
  {
    name: 'ice-lake',
    l1Instruction: [array(128, 8, SMALL, UNCONFIRMED), full(16, LARGE, ICE_LAKE)],
    l1Data: [array(64, 4, SMALL, ICE_LAKE), array(32, 4, LARGE, ICE_LAKE), full(8, GIANT, ICE_LAKE)],
    l1Store: [full(16, ALL, ICE_LAKE)],
    l2: ICE_LAKE_L2,
    walkCaches: DEFAULT_WALK_CACHES,
  },
  GOLDEN_COVE_TLBS,
  alike(GOLDEN_COVE_TLBS, 'sapphire-rapids', SAPPHIRE_RAPIDS),
  alike(GOLDEN_COVE_TLBS, 'granite-rapids', GRANITE_RAPIDS),
  {
    name: 'zen2',
    l1Instruction: [full(64, ALL, ZEN_2)],
    l1Data: [full(64, ALL, ZEN_2)],
    // Also published as 12 ways, but these make no whole number of sets: the 12 are 8 for 4 KiB, 2 for 2 MiB and 2 for
    // coalesced pages (second-hand), so 8 ways of 256 sets hold the 2048.
    l2: [array(2048, 8, UP_TO_LARGE, `${ZEN_2_L2}; WikiChip says 12 ways; model default: 4K and 2M share the 8`)],
    l2Instruction: [array(1024, 8, UP_TO_LARGE, `${ZEN_2_L2}; 7-cpu.com says 512 entries`)],
    walkCaches: DEFAULT_WALK_CACHES,
  },
  coalescing(
    {
      name: 'zen3',
      l1Instruction: [full(64, ALL, ZEN_3)],
      l1Data: [full(64, ALL, ZEN_3)],
      l2: [array(2048, 8, UP_TO_LARGE, `${ZEN_3}; ${WAYS_UNKNOWN}`), full(64, GIANT, `${ZEN_3}; ${WAYS_UNKNOWN}`)],
      l2Instruction: [array(512, 4, UP_TO_LARGE, `${ZEN_3}; ${waysBySize(4, 2)}`)],
      walkCaches: DEFAULT_WALK_CACHES,
    },
    'amdzen3',
  ),
  coalescing(
    {
      name: 'zen4',
      l1Instruction: [full(64, ALL, ZEN_4)],
      l1Data: [full(72, ALL, ZEN_4)],
      l2: [
        array(3072, 8, UP_TO_LARGE, `${ZEN_4}; ${waysBySize(8, 6)}; 24 ways, also published, are not confirmed`),
        full(64, GIANT, `${ZEN_4} leaf 80000019, EBX F0400000`),
      ],
      l2Instruction: [array(512, 4, UP_TO_LARGE, `${ZEN_4}; ${waysBySize(4, 2)}`)],
      walkCaches: DEFAULT_WALK_CACHES,
    },
    'amdzen4',
  ),
  coalescing(
    {
      name: 'zen5',
      l1Instruction: [full(64, ALL, ZEN_5)],
      l1Data: [full(96, ALL, ZEN_5)],
      l2: [
        array(4096, 8, UP_TO_LARGE, `${ZEN_5}; ${waysBySize(8, 4)}; AMD's guide says 16, by jia.je, "AMD Zen 5"`),
        array(
          1024,
          4,
          GIANT,
          'CPUID B40F40 leaf 80000019, EBX 40200000: 4 ways, and 32 times 32 entries on family 1Ah',
        ),
      ],
      l2Instruction: [
        array(2048, 4, UP_TO_LARGE, `${ZEN_5}; ${waysBySize(4, 2)}; AMD's guide says 8, by jia.je, "AMD Zen 5"`),
      ],
      walkCaches: DEFAULT_WALK_CACHES,
    },
    'amdzen5',
  ),
  {
    name: 'cortex-a76',
    l1Instruction: [full(48, ARM_L1I, A76_L1I)],
    l1Data: [full(48, ARM_L1D, A76_L1D)],
    l2: [array(1280, 5, ARM_ALL, A76)],
    walkCaches: DEFAULT_WALK_CACHES,
  },
  {
    name: 'neoverse-n1',
    l1Instruction: [full(48, ARM_L1I, N1_L1I)],
    l1Data: [full(48, ARM_L1D, N1)],
    l2: [array(1280, 5, ARM_ALL, N1)],
    walkCaches: DEFAULT_WALK_CACHES,
  },
  {
    name: 'neoverse-v2',
    l1Instruction: [full(48, [...ARM_SMALL, SHIFT_2M], `${V2}: pages of 4K, 16K, 64K, 2M`)],
    l1Data: [full(48, ARM_L1D, `${V2}: pages of 4K, 16K, 64K, 2M, 512M`)],
    l2: [array(2048, 8, ARM_ALL, `${V2}; model default: every page size`)],
    walkCaches: DEFAULT_WALK_CACHES,
  },
  {
    // Firestorm, the core for performance.
    name: 'apple-m1',
    l1Instruction: [full(192, ARM_ALL, `${M1}; ${WAYS_UNKNOWN}, and page sizes`)],
    l1Data: [full(160, ARM_ALL, `${M1}; ${WAYS_UNKNOWN}, and page sizes`)],
    l2: [array(3072, 12, ARM_ALL, `${M1}; ${WAYS_UNKNOWN}, and page sizes`)],
    walkCaches: DEFAULT_WALK_CACHES,
  },
  {
    name: 'sifive-u74',
    l1Instruction: [full(40, ALL, U74)],
    l1Data: [full(40, ALL, U74)],
    l2: [array(512, 1, ALL, UNCONFIRMED)],
    walkCaches: DEFAULT_WALK_CACHES,
    // Sv39: RISC-V privileged specification, "Page-Based 39-bit Virtual-Memory System".
    walkLevels: 3,
  },
  {
    name: 'sifive-p550',
    l1Instruction: [full(32, ALL, P550)],
    l1Data: [full(32, ALL, P550)],
    l2: [array(512, 1, ALL, 'model default: as SiFive U74; the device tree tells of none')],
    walkCaches: DEFAULT_WALK_CACHES,
  },
];

/** The shape of an Mmu unless told otherwise. */
export const MODEL_DEFAULT = SKYLAKE;

/** No TLB and no paging-structure cache: every access walks. */
export const NO_TLB: TlbGeometry = { name: 'none', l1Instruction: [], l1Data: [], l2: [], secondStage: [] };

/** The presets' names, in the order to list them in. */
export function presetNames(): readonly string[] {
  return PRESETS.map((preset) => preset.name);
}

/** A preset by its name, or `undefined`. @throws TypeError for anything but text */
export function presetByName(name: string): TlbGeometry | undefined {
  checkKind('presetByName: name', name, TEXT);
  return name === NO_TLB.name ? NO_TLB : PRESETS.find((preset) => preset.name === name.toLowerCase());
}
