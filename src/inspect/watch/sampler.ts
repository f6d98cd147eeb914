/** Samples the referenced bits of a live process through /proc: clears them, and reads later the pages used since. */

import { existsSync, writeFileSync } from 'node:fs';
import { explainProcError, InspectError, ProcessGone, readProc, requireMemory } from '../proc-files.js';
import { parseSmaps } from '../../regions/smaps.js';
import type { LiveRegion } from '../../regions/smaps.js';

/** The two steps of a sample. Both throw ProcessGone once the process has ended. */
export interface Sampler {
  /** From now on no page counts as referenced. */
  clear(): void;
  /** The regions, with the pages referenced since. */
  read(): LiveRegion[];
}

/** Source: Linux manual pages, proc_pid_clear_refs(5): 1 is for all pages. */
const ALL_PAGES = '1';

/**
 * @param proc the folder of the files of processes
 * @throws InspectError elsewhere than on Linux, without permission, and for a process gone or without memory
 */
export function liveSampler(pid: number, proc = '/proc'): Sampler {
  requireMemory(pid, proc);
  if (!existsSync('/proc/self/clear_refs')) {
    throw new InspectError('this kernel keeps no /proc/PID/clear_refs (CONFIG_PROC_PAGE_MONITOR)');
  }
  return {
    clear: () => {
      try {
        // The write must not make a file in place of an ended process.
        writeFileSync(`${proc}/${pid}/clear_refs`, ALL_PAGES, { flag: 'r+' });
      } catch (error) {
        throw explainWrite(pid, error);
      }
    },
    read: () => {
      const regions = parseSmaps(readProc(proc, pid, 'smaps'));
      // A zombie has no regions left.
      if (regions.length === 0) throw new ProcessGone(`PID ${pid}: there is no such process, or it has ended`);
      return regions;
    },
  };
}

function explainWrite(pid: number, error: unknown): unknown {
  if (error instanceof Error && 'code' in error && error.code === 'EROFS') {
    return new InspectError(`PID ${pid}: its referenced bits cannot be cleared, since /proc is mounted read-only`);
  }
  return explainProcError(pid, error, 'clear its referenced bits (/proc/PID/clear_refs)');
}
