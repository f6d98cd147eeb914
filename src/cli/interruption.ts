/** Exit code after Ctrl-C, as shells have it: 128 and the number of SIGINT. */
const INTERRUPTED = 130;
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does work with an orderly end when a person or a system wants it to end: the signals for the end of the process abort
 * the work instead, and the exit code tells of it.
 * @param work ends itself once its signal has come
 */
export async function interruptible<T>(work: (interruption: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
    process.exitCode = INTERRUPTED;
  };
  for (const signal of ENDING) process.on(signal, interrupt);
  try {
    return await work(interruption.signal);
  } finally {
    for (const signal of ENDING) process.off(signal, interrupt);
  }
}
