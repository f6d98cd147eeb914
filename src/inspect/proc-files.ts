/** Reads the files of a process in /proc. What goes wrong is said in words. */

import { existsSync, readFileSync } from 'node:fs';

/** Why a process cannot be looked at, in words. */
export class InspectError extends Error {
  override readonly name: string = 'InspectError';
}

/** The process has ended, or there never was one. */
export class ProcessGone extends InspectError {
  override readonly name = 'ProcessGone';
}

/** @param what is not permitted, as the words after `no permission to` */
export function explainProcError(pid: number, error: unknown, what = 'look at its memory'): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ESRCH')
    return new ProcessGone(`PID ${pid}: there is no such process, or it has ended`);
  if (code === 'EACCES' || code === 'EPERM') {
    return new InspectError(`PID ${pid}: no permission to ${what}; run as its user, or as root`);
  }
  return error;
}

/**
 * @param proc the folder of the files of processes
 * @throws InspectError without permission; ProcessGone when there is no such process
 */
export function readProc(proc: string, pid: number, name: string): string {
  try {
    return readFileSync(`${proc}/${pid}/${name}`, 'utf8');
  } catch (error) {
    throw explainProcError(pid, error);
  }
}

/** Why a process has no mappings. Source: Linux manual pages, proc_pid_status(5), "State". */
function noMemory(pid: number, status: string): InspectError {
  const ended = /^State:\s+[ZX]/m.test(status);
  const why = ended ? 'it has ended, and waits for its parent (a zombie)' : 'it is a kernel thread, or is just ending';
  return new InspectError(`PID ${pid}: no memory to look at: ${why}`);
}

/**
 * @throws InspectError elsewhere than on Linux, without permission, and for a process gone or without memory
 */
export function requireMemory(pid: number, proc: string): void {
  if (process.platform !== 'linux') {
    throw new InspectError(`this reads /proc/PID/smaps, which Linux has and ${process.platform} has not`);
  }
  if (readProc(proc, pid, 'maps') === '') throw noMemory(pid, readProc(proc, pid, 'status'));
  if (!existsSync('/proc/self/smaps')) {
    throw new InspectError('this kernel keeps no /proc/PID/smaps (CONFIG_PROC_PAGE_MONITOR)');
  }
}
