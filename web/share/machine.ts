/**
 * The play of the share view: processes that fork, write, exec and exit. The same events on two schemes: one story
 * under paging and under segmentation.
 */

import type { Machine } from '../story/history.js';

/** A region of the program of all processes. */
export interface SharedRegion {
  readonly name: string;
  readonly pages: number;
  readonly rights: 'r-x' | 'rw-';
  /** Stays shared over fork. */
  readonly shared: boolean;
}

export const PROGRAM: readonly SharedRegion[] = [
  { name: 'code', pages: 1, rights: 'r-x', shared: false },
  { name: 'data', pages: 3, rights: 'rw-', shared: false },
  { name: 'stack', pages: 1, rights: 'rw-', shared: false },
  { name: 'shared', pages: 1, rights: 'rw-', shared: true },
];

/** The present rights of a process by one entry or descriptor. */
type RowState = 'absent' | 'read-only' | 'copy on write' | 'writable';

/** A page of a process under paging, a whole segment under segmentation. */
export interface Row {
  readonly region: SharedRegion;
  /** Number of the page in its region; 0 for a segment. */
  readonly page: number;
  /** Address or selector. */
  readonly place: string;
  /** The entry or descriptor as it is in RAM, in words. */
  readonly entry: string;
  readonly state: RowState;
  /** The {@link Piece} it leads to. */
  readonly to: string | null;
}

export interface ProcessDrawing {
  readonly pid: number;
  readonly parent: number | null;
  /** Its tables: how many, how large. */
  readonly tables: string;
  readonly rows: readonly Row[];
}

/** A frame or a segment in physical memory, or a hole between segments. */
export interface Piece {
  readonly id: string;
  readonly title: string;
  /** Its contents and size. */
  readonly about: string;
  /** Entries or descriptors for it; null for a hole. */
  readonly count: number | null;
  /** Its first byte; null for a hole. */
  readonly byte: number | null;
}

/** A count of the kernel, and its rise by the last event. */
export interface SharingCount {
  readonly name: string;
  readonly value: number;
  readonly change: number;
}

/** No more processes than can be drawn. */
const MOST_PROCESSES = 4;

const FORM = /^(?:(spawn)|(fork|exec|exit)\.(\d{1,3})|(read|write)\.(\d{1,3})\.([a-z]+)\.(\d))$/;

/** @typeParam P a process of the scheme's kernel */
export abstract class ShareMachine<P extends { readonly pid: number } = { readonly pid: number }> implements Machine {
  /** The effect of the last event, in a sentence. */
  happened = 'No process runs yet.';
  #before: Readonly<Record<string, number>> = {};
  /** Every write stores another byte, to tell copies apart. */
  #lastByte = 0;

  /** The running processes, by PID and in order. */
  protected abstract get running(): ReadonlyMap<number, P>;
  /** A process with nothing mapped; or a negative errno. */
  protected abstract spawn(): P | number;
  /** Gives the process the program's memory. Returns 0 or a negative errno. */
  protected abstract load(process: P): number;
  /** The child, or a negative errno. */
  protected abstract fork(process: P): P | number;
  /** Takes the process's memory away. Returns 0 or a negative errno. */
  protected abstract clear(process: P): number;
  protected abstract exit(process: P): void;
  protected abstract read(process: P, region: SharedRegion, page: number): number;
  protected abstract write(process: P, region: SharedRegion, page: number, byte: number): number;
  /** The kernel's counts so far, by name for people. */
  protected abstract totals(): Readonly<Record<string, number>>;
  /** How the last access went, from the kernel's counts: `before` and now. */
  protected abstract explain(before: Readonly<Record<string, number>>): string;
  /** A result below 0 in words. */
  protected abstract nameOf(result: number): string;
  abstract get processes(): readonly ProcessDrawing[];
  abstract get memory(): readonly Piece[];

  get counts(): readonly SharingCount[] {
    return Object.entries(this.totals()).map(([name, value]) => ({
      name,
      value,
      change: value - (this.#before[name] ?? 0),
    }));
  }

  /** `spawn`, `fork.PID`, `exec.PID`, `exit.PID`, `read.PID.REGION.PAGE`, `write.PID.REGION.PAGE`. */
  act(words: string): number {
    const match = FORM.exec(words);
    if (match === null) throw new RangeError(`'${words}' is nothing that can happen here`);
    const [, spawn, verb, pid, access, who, name, page] = match as unknown as (string | undefined)[];
    const before = this.totals();
    if (spawn !== undefined) this.happened = this.#start();
    else if (verb !== undefined) this.happened = this.#live(verb, this.#alive(pid));
    else this.happened = this.#access(access === 'write', this.#alive(who), this.#region(name, page), Number(page));
    this.#before = before;
    return 1;
  }

  #alive(text: string | undefined): P {
    const pid = Number(text);
    const process = this.running.get(pid);
    if (process !== undefined) return process;
    throw new RangeError(`process ${pid} does not run; ${[...this.running.keys()].join(', ') || 'no process'} does`);
  }

  #region(name: string | undefined, page: string | undefined): SharedRegion {
    const region = PROGRAM.find((candidate) => candidate.name === name);
    if (region !== undefined && Number(page) < region.pages) return region;
    throw new RangeError(`there is no page ${page ?? ''} of '${name ?? ''}' in the program`);
  }

  #needRoom(): void {
    if (this.running.size < MOST_PROCESSES) return;
    throw new RangeError(`${MOST_PROCESSES} processes run, which is as many as can be drawn; let one exit first`);
  }

  #start(): string {
    this.#needRoom();
    const process = this.spawn();
    const result = typeof process === 'number' ? process : this.load(process);
    return typeof process === 'number' || result < 0
      ? `No process could be started: ${this.nameOf(result)}.`
      : `Process ${process.pid} starts the program.`;
  }

  #live(verb: string, process: P): string {
    const { pid } = process;
    if (verb === 'exit') {
      this.exit(process);
      return `Process ${pid} exits: what nobody else holds is free.`;
    }
    if (verb === 'exec') {
      const cleared = this.clear(process);
      const result = cleared < 0 ? cleared : this.load(process);
      return result < 0
        ? `Process ${pid} cannot exec: ${this.nameOf(result)}.`
        : `Process ${pid} execs: it lets go of its memory and starts the program anew.`;
    }
    this.#needRoom();
    const child = this.fork(process);
    return typeof child === 'number'
      ? `Process ${pid} cannot fork: ${this.nameOf(child)}.`
      : `Process ${pid} forks: its child is process ${child.pid}.`;
  }

  #access(writes: boolean, process: P, region: SharedRegion, page: number): string {
    const before = this.totals();
    const result = writes ? this.write(process, region, page, ++this.#lastByte) : this.read(process, region, page);
    const about = `Process ${process.pid} ${writes ? `writes ${this.#lastByte} to` : 'reads'} ${region.name}[${page}]`;
    return result < 0 ? `${about}: ${this.nameOf(result)}.` : `${about}: ${this.explain(before)}.`;
  }
}
