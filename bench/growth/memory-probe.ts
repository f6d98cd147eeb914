/**
 * A process of its own. It maps guest memory and tells the host's cost: `node memory-probe.js PAGES GIB` prints
 * {@link Readings}, or null when the host refuses the RAM.
 */

import { Ram } from '../../hw/memory/ram.js';
import type { PagePolicy } from '../../src/kernel/space/process.js';
import { ResidentProcess } from '../measure/resident.js';
import type { Readings } from './memory.js';

const GIB = 2 ** 30;
/** For tables, and because the first GiB cannot be had whole. */
const MORE_RAM = 2 * GIB;
const [, , pages, gib] = process.argv;

function mapped(bytes: number): ResidentProcess {
  return new ResidentProcess({ ram: new Ram({ bytes: bytes + MORE_RAM }), pages: pages as PagePolicy, bytes });
}

function readings(): Readings {
  // A first one, and it stays: its own needs, code and heap, are in both readings.
  const processes = [mapped(GIB)];
  const before = process.memoryUsage();
  processes.push(mapped(Number(gib) * GIB));
  const after = process.memoryUsage();
  const [, { process: large, kernel }] = processes;
  return {
    resident: after.rss - before.rss,
    reserved: after.arrayBuffers - before.arrayBuffers,
    ram: kernel.memory.ram.bytes,
    tables: large.space?.tableBytes ?? 0,
  };
}

function readingsIfAllowed(): Readings | null {
  try {
    return readings();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

process.stdout.write(JSON.stringify(readingsIfAllowed()));
