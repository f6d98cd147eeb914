/** Files left behind by a killed recording, and how the next one finds and removes them. */

import { lstat, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const FOLDER_PREFIX = 'pagewalk-record-';
const FOLDER = /^pagewalk-record-(\d+)-\w+$/;
/** The pipe in such a folder, the shared file of a recording's processes, and the windows; nothing else is there. */
const PIPE = 'accesses';
const WINDOWS = 'windows';
const FILES = [PIPE, 'shared', WINDOWS];

/** The file of a growing trace; it takes the name of `target` once it is whole. */
export function partialOf(target: string): string {
  return `${target}.${process.pid}.partial`;
}

/** A folder for this recording, its name with the owner's PID; and the paths of the pipe and of the windows. */
export async function makeFolder(): Promise<Record<'folder' | 'pipe' | 'stored', string>> {
  const folder = await mkdtemp(join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  return { folder, pipe: join(folder, PIPE), stored: join(folder, WINDOWS) };
}

/** True when there is no such process any more; one of somebody else's lives. */
function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Paths in `folder` of our own, with the PID of a dead process in the name at the group of `pattern`. */
async function deadMens(folder: string, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    const pid = Number(pattern.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || !isDead(pid)) continue;
    const path = join(folder, name);
    if ((await lstat(path)).uid === process.getuid?.()) found.push(path);
  }
  return found;
}

/** Removes the files of killed recordings to `target`. A file stays if it cannot be removed: it is in nobody's way. */
export async function sweepPartials(target: string): Promise<void> {
  const name = basename(target).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const pattern = new RegExp(`^${name}\\.(\\d+)\\.partial$`, 's');
  const paths = await deadMens(dirname(target), pattern).catch(() => []);
  // A folder of such a name is nobody's partial trace, and rm refuses it.
  for (const path of paths) await rm(path, { force: true }).catch(() => undefined);
}

/** Removes the pipes of killed recordings, and their folders if nothing else lies in them. */
export async function sweepFolders(): Promise<void> {
  for (const folder of await deadMens(tmpdir(), FOLDER).catch(() => [])) {
    await Promise.all(FILES.map((file) => rm(join(folder, file), { force: true })))
      .then(() => rmdir(folder))
      .catch(() => undefined);
  }
}
