import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/**
 * Writes `text` to `path` whole or not at all: into a file beside it, which then takes its name. A path that is no
 * regular file, as `/dev/stdout` or a pipe, is written straight away.
 *
 * @throws the file system's error (with `code` and `syscall`), after removing what was begun.
 */
export function writeFileWhole(path: string, text: string): void {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isFile()) {
    writeFileSync(path, text);
    return;
  }
  // A symbolic link stays one: the file that it names is replaced.
  const target = existing === undefined ? path : realpathSync(path);
  const partial = `${target}.${process.pid}.partial`;
  try {
    writeFileSync(partial, text, { flush: true });
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}
