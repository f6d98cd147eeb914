import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does something in one piece: a signal that would end the process waits for its end. Listeners hear of signals only as
 * the event loop polls, and after an immediate of an immediate it certainly has.
 */
function inOnePiece(work: () => void): void {
  const leave = (): void => {
    for (const signal of ENDING) process.off(signal, end);
  };
  const end = (signal: NodeJS.Signals): void => {
    leave();
    process.kill(process.pid, signal);
  };
  for (const signal of ENDING) process.on(signal, end);
  try {
    work();
  } finally {
    setImmediate(() => setImmediate(leave));
  }
}

/**
 * Writes `text` to `path` whole or not at all, signals or not: into a file beside it; then it takes the name. A path to
 * no regular file, as `/dev/stdout` or a pipe, is written straight away.
 *
 * @throws the file system's error (with `code` and `syscall`), after removing the begun file.
 */
export function writeFileWhole(path: string, text: string): void {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isFile()) {
    writeFileSync(path, text);
    return;
  }
  // A symbolic link stays one: the file named by it is replaced.
  const target = existing === undefined ? path : realpathSync(path);
  const partial = `${target}.${process.pid}.partial`;
  inOnePiece(() => {
    try {
      writeFileSync(partial, text, { flush: true });
      renameSync(partial, target);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
  });
}
