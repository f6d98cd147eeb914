/** `npm run bench -- --growth`: how costs grow with memory. Modelled counts and host times keep to columns of their own. */

import { MODEL_DEFAULT } from '../../hw/tlb/presets.js';
import { thisHost } from '../measure/host.js';
import type { Host } from '../measure/host.js';
import { measureForks } from './fork.js';
import type { ForkGrowth } from './fork.js';
import { measureMemory } from './memory.js';
import type { MemoryPoint } from './memory.js';
import { measureTranslations } from './translation.js';
import type { TranslationPoint } from './translation.js';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

export interface GrowthResult extends Host {
  readonly schemaVersion: 1;
  readonly rounds: number;
  readonly tlb: string;
  readonly translations: readonly TranslationPoint[];
  readonly forks: readonly ForkGrowth[];
  readonly memory: readonly MemoryPoint[];
  /** Sizes beyond this machine's memory, in sentences. */
  readonly leftOut: readonly string[];
}

/** How far to go: all the way, or just far enough to see everything work. */
const EXTENTS = {
  whole: { translations: 8 * GIB, forks: 8 * GIB, memory: 4, scale: 1 },
  quick: { translations: 16 * MIB, forks: 16 * MIB, memory: 1, scale: 1 / 64 },
} as const;

export function measureGrowth(rounds: number, extent: keyof typeof EXTENTS): GrowthResult {
  const most = EXTENTS[extent];
  const memory = measureMemory(most.memory);
  const { points: translations, allowed } = measureTranslations(rounds, most.translations, most.scale);
  const { points: forks, leftOut } = measureForks(rounds, most.forks);
  const gib = (bytes: number): string => `${bytes / GIB} GiB`;
  return {
    schemaVersion: 1,
    ...thisHost(),
    rounds,
    tlb: MODEL_DEFAULT.name,
    translations,
    forks,
    memory,
    leftOut: [
      ...(memory.length < 3 ? [`Memory of ${most.memory} mapped GiB: this machine reserves no more RAM.`] : []),
      ...(allowed < most.translations ? [`Footprints above ${gib(allowed)}: this machine reserves no more RAM.`] : []),
      ...leftOut.map(
        ({ resident, pages }) =>
          `Forks of ${gib(resident)} in ${pages} pages: this machine has not the memory for them.`,
      ),
    ],
  };
}
