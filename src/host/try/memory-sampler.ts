/**
 * Watches how much memory of some processes is in huge pages, from outside.
 * Source: Linux manual pages, proc_pid_stat(5) and proc_pid_smaps(5), "smaps_rollup".
 */

import { readdirSync, readFileSync } from 'node:fs';
import { parseSmaps } from '../../regions/smaps.js';

/** Sums over processes at one moment, in bytes; a shared page of several processes counts in each. */
export interface MemorySample {
  readonly resident: number;
  readonly anonymous: number;
  /** The part of `anonymous` in huge pages. */
  readonly huge: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended, or belongs to somebody else.
    return '';
  }
}

/** The parent in the text of /proc/PID/stat; NaN if there is none. A name may have brackets and spaces of its own. */
function parentIn(stat: string): number {
  return Number(/^.*\) \w (\d+)/s.exec(stat)?.[1] ?? NaN);
}

/** The children of a process, their children, and so on. */
export function descendants(pid: number, proc = '/proc'): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentIn(read(`${proc}/${name}/stat`));
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [...(children.get(pid) ?? [])];
  // The list grows while it is gone through.
  for (const child of found) found.push(...(children.get(child) ?? []));
  return found;
}

/** Milliseconds to the first sample; later ones come at growing distances. */
const FIRST = 2;
const GROWTH = 0.2;
const LONGEST = 1000;

/** Keeps the sample with the most anonymous memory of a running process and its descendants. */
export class MemorySampler {
  #most: MemorySample | undefined;
  #library = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #began = performance.now();

  /**
   * @param pid the parent of all; it is not counted itself
   * @param library name of a file the processes should have mapped
   * @param onSample told of each sample
   */
  constructor(
    private readonly pid: number,
    private readonly library: string,
    private readonly onSample: () => void,
  ) {
    this.#wait();
  }

  /** The largest sample; undefined when there was none: a short run, or processes of somebody else. */
  get most(): MemorySample | undefined {
    return this.#most;
  }

  /** True when a process had the library. */
  get sawLibrary(): boolean {
    return this.#library;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /**
   * A look stops the program for a moment at its changes of mappings, so looks grow rarer: some thirty in the first
   * 5 s, then one a second.
   */
  #wait(): void {
    const elapsed = performance.now() - this.#began;
    this.#timer = setTimeout(
      () => {
        this.#sample();
        this.onSample();
        this.#wait();
      },
      Math.min(LONGEST, Math.max(FIRST, elapsed * GROWTH)),
    );
  }

  #sample(): void {
    let sum: MemorySample | undefined;
    for (const pid of descendants(this.pid)) {
      // Its text is that of a single region; there is none of a process just ended.
      const rollup = parseSmaps(read(`/proc/${pid}/smaps_rollup`)).at(0);
      if (rollup === undefined) continue;
      sum = {
        resident: (sum?.resident ?? 0) + rollup.resident,
        anonymous: (sum?.anonymous ?? 0) + rollup.anonymous,
        huge: (sum?.huge ?? 0) + rollup.anonymousHuge,
      };
      this.#library ||= read(`/proc/${pid}/maps`).includes(this.library);
    }
    if (sum !== undefined && sum.anonymous >= (this.#most?.anonymous ?? 0)) this.#most = sum;
  }
}
