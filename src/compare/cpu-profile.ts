/** Where the CPU time of a comparison goes: host time, of this process with all its threads. */

/** Adds CPU time up by phase: whoever ends a phase says what it was. */
export class CpuProfile {
  readonly #microseconds = new Map<string, number>();
  #last = cpuMicroseconds();

  /** The time since the last call, or since the beginning, went into `phase`. */
  spent(phase: string): void {
    const now = cpuMicroseconds();
    this.#microseconds.set(phase, (this.#microseconds.get(phase) ?? 0) + now - this.#last);
    this.#last = now;
  }

  /** Seconds by phase, in the order in which the phases first ended. */
  seconds(): { readonly phase: string; readonly seconds: number }[] {
    return [...this.#microseconds].map(([phase, microseconds]) => ({ phase, seconds: microseconds / 1e6 }));
  }
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
