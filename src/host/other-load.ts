/** The other load of this machine's processors during a measurement. Source: Linux manual pages, proc_stat(5). */

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** USER_HZ, the unit of /proc/stat on every system with Node. */
const TICKS_PER_SECOND = 100;
/** So many busy processors are other programs' doing; less is usual on a quiet system. */
const NOTICEABLE = 0.25;

/** Seconds of all processors together, busy or kept from this virtual machine, since the system came up. */
export function busySeconds(stat: string): number {
  const [user, nice, system, , , irq, softirq, steal] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return Number.isFinite(busy) ? busy / TICKS_PER_SECOND : 0;
}

function readBusy(): number {
  try {
    return busySeconds(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return 0;
  }
}

/** Measures from its making on. */
export class OtherLoad {
  readonly #busy = readBusy();
  readonly #own = process.cpuUsage();
  readonly #began = performance.now();

  /**
   * How many processors others kept busy on average.
   * @param children processor time in seconds of the processes we started
   */
  processors(children: number): number {
    const own = process.cpuUsage(this.#own);
    const others = readBusy() - this.#busy - children - (own.user + own.system) / 1e6;
    const seconds = (performance.now() - this.#began) / 1000;
    return Math.max(0, others / seconds);
  }
}

/** A note on so many processors kept busy by others; undefined when they disturb nothing. */
export function loadNote(others: number): string | undefined {
  if (others < NOTICEABLE) return undefined;
  return (
    `other programs kept ${others.toFixed(1)} of ${availableParallelism()} processors busy meanwhile; ` +
    'measure again on a quiet machine for a narrow range'
  );
}
