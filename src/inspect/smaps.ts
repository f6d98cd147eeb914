/** Reads the text of /proc/PID/smaps. Source: Linux manual pages, proc_pid_maps(5) and proc_pid_smaps(5). */

import { PAGE_BYTES } from '../../hw/base/address.js';
import type { Region } from './process-image.js';

const HEADER = /^([0-9a-f]+)-([0-9a-f]+) ([-r][-w][-x][ps]) ([0-9a-f]+) (\S+) (\d+) *(.*)$/;
const SUM = /^(\w+): +(\d+) kB$/;
const FLAGS = /^VmFlags: (.*)$/;

/** A region being read: its first line, then sums by name. */
class Entry {
  readonly kib = new Map<string, number>();
  flags: string[] = [];

  constructor(readonly header: readonly string[]) {}

  toRegion(): Region {
    const [, start, end, permissions, offset, device, inode, name] = this.header;
    const bytes = (field: string, otherwise = 0): number => (this.kib.get(field) ?? otherwise) * 1024;
    return {
      start: parseInt(start, 16),
      end: parseInt(end, 16),
      permissions,
      offset: parseInt(offset, 16),
      device,
      inode: Number(inode),
      name,
      pageBytes: bytes('KernelPageSize', PAGE_BYTES / 1024),
      // Pages of MAP_HUGETLB are in no Rss.
      resident: bytes('Rss') + bytes('Shared_Hugetlb') + bytes('Private_Hugetlb'),
      anonymous: bytes('Anonymous'),
      anonymousHuge: bytes('AnonHugePages'),
      swapped: bytes('Swap'),
      flags: this.flags,
    };
  }
}

/** The regions in order of address; unknown lines are passed over, for kernels to come. */
export function parseSmaps(text: string): Region[] {
  const entries: Entry[] = [];
  for (const line of text.split('\n')) {
    const header = HEADER.exec(line);
    const entry = entries.at(-1);
    if (header !== null) entries.push(new Entry(header));
    else if (entry !== undefined) readSum(entry, line);
  }
  return entries.map((entry) => entry.toRegion());
}

function readSum(entry: Entry, line: string): void {
  const sum = SUM.exec(line);
  if (sum !== null) entry.kib.set(sum[1], Number(sum[2]));
  const flags = FLAGS.exec(line);
  if (flags !== null) entry.flags = flags[1].trim().split(' ');
}
