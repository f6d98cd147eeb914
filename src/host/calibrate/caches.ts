/** The data caches of this machine, as the system knows them. Source: Linux Documentation/ABI/stable/sysfs-devices-system-cpu. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface CacheSize {
  readonly bytes: number;
  readonly ways: number;
}

/** A third level may be missing, as on some small cores. */
export interface CacheSizes {
  readonly l1: CacheSize;
  readonly l2: CacheSize;
  readonly l3: CacheSize | null;
}

const FOLDER = '/sys/devices/system/cpu/cpu0/cache';
const UNIT = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** `512K` as bytes; NaN for another text. */
function bytesOf(text: string): number {
  const [, digits, unit] = /^(\d+)([KMG])$/.exec(text) ?? ['', 'NaN', 'K'];
  return Number(digits) * UNIT[unit as keyof typeof UNIT];
}

/** @returns undefined if the system does not tell, as in some virtual machines */
export function readCaches(folder = FOLDER): CacheSizes | undefined {
  const levels = new Map<string, CacheSize>();
  try {
    for (const index of readdirSync(folder).filter((name) => name.startsWith('index'))) {
      const read = (name: string): string => readFileSync(join(folder, index, name), 'utf8').trim();
      const size = { bytes: bytesOf(read('size')), ways: Number(read('ways_of_associativity')) };
      if (read('type') !== 'Instruction' && size.bytes > 0 && size.ways > 0) levels.set(read('level'), size);
    }
  } catch {
    return undefined;
  }
  const [l1, l2, l3] = ['1', '2', '3'].map((level) => levels.get(level));
  return l1 === undefined || l2 === undefined ? undefined : { l1, l2, l3: l3 ?? null };
}
