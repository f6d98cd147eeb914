/** The CPU time of a comparison by phase: host time, of this process with all its threads. */

/** Adds CPU time up by phase: the end of a phase names it. */
export class CpuProfile {
  readonly #microseconds = new Map<string, number>();
  #last = cpuMicroseconds();

  /** The time since the last call, or since the beginning, went into `phase`. */
  spent(phase: string): void {
    const now = cpuMicroseconds();
    this.#microseconds.set(phase, (this.#microseconds.get(phase) ?? 0) + now - this.#last);
    this.#last = now;
  }

  /** Seconds by phase, in the order of first ends. */
  seconds(): { readonly phase: string; readonly seconds: number }[] {
    return [...this.#microseconds].map(([phase, microseconds]) => ({ phase, seconds: microseconds / 1e6 }));
  }
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
