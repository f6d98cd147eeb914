/**
 * Reads the text of /proc/PID/smaps, or of /proc/PID/maps, its headers alone. Source: Linux manual pages,
 * proc_pid_maps(5) and proc_pid_smaps(5).
 */

import { PAGE_BYTES } from '../../hw/base/address.js';
import { kindOf, withPrograms } from './region.js';
import type { HugeAdvice, Region } from './region.js';

/** A region of a live process, with its sums; sizes in bytes. */
export interface LiveRegion extends Region {
  readonly device: string;
  readonly inode: number;
  readonly resident: number;
  /** Resident and touched since the referenced bits were last cleared. */
  readonly referenced: number;
  readonly anonymous: number;
  readonly anonymousHuge: number;
  /** Shared memory and files mapped by huge entries. */
  readonly fileHuge: number;
  readonly swapped: number;
  /** Two letters each, such as `nh`. Source: Linux manual pages, proc_pid_smaps(5), "VmFlags". */
  readonly flags: readonly string[];
}

const HEADER = /^([0-9a-f]+)-([0-9a-f]+) ([-r][-w][-x][ps]) ([0-9a-f]+) (\S+) (\d+) *(.*)$/;
const SUM = /^(\w+): +(\d+) kB$/;
const FLAGS = /^VmFlags: (.*)$/;

function adviceIn(flags: readonly string[]): HugeAdvice {
  if (flags.includes('nh')) return 'nohuge';
  return flags.includes('hg') ? 'huge' : 'none';
}

/** A region being read: its first line, then sums by name. */
class Entry {
  readonly kib = new Map<string, number>();
  flags: string[] = [];

  constructor(private readonly header: readonly string[]) {}

  toRegion(): LiveRegion {
    const [, start, end, permissions, offset, device, inode, name] = this.header;
    const bytes = (field: string, otherwise = 0): number => (this.kib.get(field) ?? otherwise) * 1024;
    const { flags } = this;
    const pageBytes = bytes('KernelPageSize', PAGE_BYTES / 1024);
    const traits = { stack: flags.includes('gd'), ofDevice: ['io', 'pf', 'mm'].some((flag) => flags.includes(flag)) };
    return {
      start: parseInt(start, 16),
      end: parseInt(end, 16),
      permissions,
      kind: kindOf({ name, permissions, ...traits, pageBytes: flags.includes('ht') ? pageBytes : PAGE_BYTES }),
      offset: parseInt(offset, 16),
      device,
      inode: Number(inode),
      name,
      pageBytes,
      advice: adviceIn(flags),
      // Pages of MAP_HUGETLB are in no Rss.
      resident: bytes('Rss') + bytes('Shared_Hugetlb') + bytes('Private_Hugetlb'),
      referenced: bytes('Referenced'),
      anonymous: bytes('Anonymous'),
      anonymousHuge: bytes('AnonHugePages'),
      fileHuge: bytes('ShmemPmdMapped') + bytes('FilePmdMapped'),
      swapped: bytes('Swap'),
      flags,
    };
  }
}

/** The regions in order of address; unknown lines are passed over, for kernels to come. */
export function parseSmaps(text: string): LiveRegion[] {
  const entries: Entry[] = [];
  for (const line of text.split('\n')) {
    const header = HEADER.exec(line);
    const entry = entries.at(-1);
    if (header !== null) entries.push(new Entry(header));
    else if (entry !== undefined) readSum(entry, line);
  }
  return withPrograms(entries.map((entry) => entry.toRegion()));
}

function readSum(entry: Entry, line: string): void {
  const sum = SUM.exec(line);
  if (sum !== null) entry.kib.set(sum[1], Number(sum[2]));
  const flags = FLAGS.exec(line);
  if (flags !== null) entry.flags = flags[1].trim().split(' ');
}
