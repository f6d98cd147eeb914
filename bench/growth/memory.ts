/** The emulator's own share of the host's memory, for each GiB mapped and never touched by a guest. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const PROBE = fileURLToPath(new URL('./memory-probe.js', import.meta.url));
/** Bytes. */
const Readings = z.object({ resident: z.number(), reserved: z.number(), ram: z.number(), tables: z.number() });
export type Readings = z.infer<typeof Readings>;
const GIB = 2 ** 30;

/** Bytes per mapped GiB. */
export interface MemoryPoint {
  readonly pages: string;
  /** Page tables: counted. */
  readonly tables: number;
  /** Growth of the resident set of the emulator's process, tables and the kernel's books together: measured. */
  readonly resident: number;
  /** Address space in array buffers per GiB of RAM, RAM itself left out; the host commits only touched pages. */
  readonly reserved: number;
}

function probe(pages: string, gib: number): Readings | null {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROBE, pages, String(gib)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the memory of ${gib} GiB in ${pages} pages cannot be measured: ${stderr}`);
  return Readings.nullable().parse(JSON.parse(stdout));
}

/** Maps `gib` GiB in a process of its own for each page size; page sizes are absent when the host refuses the RAM for them. */
export function measureMemory(gib: number): MemoryPoint[] {
  return ['4K', '2M', '1G'].flatMap((pages) => {
    const readings = probe(pages, gib);
    if (readings === null) return [];
    const { resident, reserved, ram, tables } = readings;
    return [{ pages, tables: tables / gib, resident: resident / gib, reserved: (reserved - ram) / (ram / GIB) }];
  });
}
