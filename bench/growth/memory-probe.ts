/** A process of its own that maps guest memory and tells what that took: `node memory-probe.js PAGES GIB`. */

import { Ram } from '../../hw/ram.js';
import type { PagePolicy } from '../../src/kernel/process.js';
import { ResidentProcess } from '../resident.js';

const GIB = 2 ** 30;
/** For tables, and because the first GiB cannot be had whole. */
const MORE_RAM = 2 * GIB;
const [, , pages, gib] = process.argv;

function mapped(bytes: number): ResidentProcess {
  return new ResidentProcess({ ram: new Ram({ bytes: bytes + MORE_RAM }), pages: pages as PagePolicy, bytes });
}

// A first one, which stays, so that what only the first needs, code and heap, is in both readings.
const processes = [mapped(GIB)];
const before = process.memoryUsage();
processes.push(mapped(Number(gib) * GIB));
const after = process.memoryUsage();
const [, { process: large, kernel }] = processes;
process.stdout.write(
  JSON.stringify({
    resident: after.rss - before.rss,
    reserved: after.arrayBuffers - before.arrayBuffers,
    ram: kernel.memory.ram.bytes,
    tables: large.space?.tableBytes ?? 0,
  }),
);
