/** Regions as reports show them: one plain object each, and sums by kind. Bytes throughout. */

import { mainObstacle } from './backing.js';
import type { HugeBacking, Obstacle } from './backing.js';
import { REGION_KINDS } from './region.js';
import type { RegionKind } from './region.js';
import type { AddedBytes, RegionUsage } from './usage.js';

interface RegionSums {
  readonly mappedBytes: number;
  readonly residentBytes: number;
  /** Mapped by huge entries now. */
  readonly hugeBytes: number;
  /** Linux could back so much resident memory by huge pages under its settings, if asked; huge memory is part of it. */
  readonly couldBytes: number;
}

export interface ReportedRegion extends RegionSums {
  /** First address and the one after the last, in hexadecimal. */
  readonly start: string;
  readonly end: string;
  readonly permissions: string;
  readonly kind: RegionKind;
  /** Path, or `[heap]` and the like, or empty. */
  readonly name: string;
  /** Linux makes huge pages there without being asked again. */
  readonly byItself: boolean;
  /** Huge pages would add so much memory; null: the places of the pages are not known. */
  readonly addedBytes: AddedBytes | null;
  /** What keeps most of it small; null when nothing does. */
  readonly whyNot: Obstacle | null;
  /** Mapped bytes kept small, by cause. */
  readonly hindered: HugeBacking['hindered'];
}

/** The regions of one kind. */
export interface KindSums extends RegionSums {
  readonly kind: RegionKind;
  readonly regions: number;
}

const hex = (address: number): string => `0x${address.toString(16)}`;

export function reportRegion({ region, backing, added, ...usage }: RegionUsage): ReportedRegion {
  const { start, end, permissions, kind, name } = region;
  return {
    start: hex(start),
    end: hex(end),
    permissions,
    kind,
    name,
    mappedBytes: end - start,
    residentBytes: usage.residentBytes,
    hugeBytes: usage.hugeBytes,
    couldBytes: usage.couldBytes,
    byItself: backing.byItself,
    addedBytes: added,
    whyNot: mainObstacle(backing) ?? null,
    hindered: backing.hindered,
  };
}

/** Sums of the kinds found, in the order of {@link REGION_KINDS}. */
export function sumByKind(regions: readonly ReportedRegion[]): KindSums[] {
  return REGION_KINDS.flatMap((kind) => {
    const ofKind = regions.filter((region) => region.kind === kind);
    const sum = (key: keyof RegionSums): number => ofKind.reduce((total, region) => total + region[key], 0);
    if (ofKind.length === 0) return [];
    return {
      kind,
      regions: ofKind.length,
      mappedBytes: sum('mappedBytes'),
      residentBytes: sum('residentBytes'),
      hugeBytes: sum('hugeBytes'),
      couldBytes: sum('couldBytes'),
    };
  });
}
