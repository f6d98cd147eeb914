/**
 * Reads the output of the plugin in `node/qemu`: frames, little-endian, of two words of 64 bits and a payload.
 *
 *     word 0   bits 0 to 31 the type, 32 to 63 the process
 *     word 1   bytes of the payload, at most 4080
 *
 * Accesses are of one thread: their payload begins with its number and their place in the run. An access is a word:
 * address in bits 0 to 55, kind in 56 and 57 (0 fetch, 1 load, 2 store, 3 both), size in 58 to 63. Accesses in windows
 * are in a file, and a word of size 0 says whose they are: the process's number in bits 0 to 31, the thread's above.
 */

import * as accesses from '../block.js';
import { AccessBlock, BLOCK_ACCESSES, FETCH, LOAD, MODIFY, STORE } from '../block.js';
import type { ProcessOrigin } from '../coverage.js';
import { TraceError } from '../trace-error.js';
import { RegionBook } from './region-book.js';

const { ACCESS_WORDS, LOW_WORD, OPERATION_WORD, SIZE_SHIFT } = accesses;
/** Where the size of an access begins in its high word; 0 there: the words say whose accesses follow. */
const SIZE_BIT = 26;

/** The kind of a frame's payload. */
const FrameType = {
  /** The start of a program: its number, and its path. */
  begin: 1,
  /** A new child: its number, its parent, the position, and the path of its program. */
  forked: 2,
  /** Accesses in the order of their coming. */
  accesses: 3,
  /** Nothing: the process ends or replaces its program, and its threads have been told of. */
  end: 4,
  /** The path of a program: from here on it runs outside the emulator. */
  away: 5,
  /** The end of a thread or its process: its number, accesses and instructions since the last such frame, and its name. */
  thread: 6,
  /** Mappings new, gone or changed: kind, start, end, more and still more of it, the position, and a name. */
  region: 7,
  /** Content of RAM: 1 in the first frame of a look, then start, end and bytes of each mapping, QEMU's among them. */
  resident: 8,
  /** A thread is at work: its number in its process, and Linux's. */
  threadBegin: 9,
} as const;

/** The change told by a frame of regions. */
const Change = {
  /** More: protection in bits 0 to 2, mmap's flags above; still more: the offset in the file. */
  mapped: 1,
  unmapped: 2,
  /** More: the protection. */
  protected: 3,
  /** More: 1 for MADV_HUGEPAGE, 2 for MADV_NOHUGEPAGE. */
  advised: 4,
  /** More: the new place; still more: the new length. */
  moved: 5,
  /** Start: the end of the heap. */
  heap: 6,
} as const;
const REGION_NAME_WORD = 6;

const HEAD_BYTES = 16;
const PAYLOAD_BYTES = 4096 - HEAD_BYTES;
const WORD_BYTES = 8;
/** In a frame of accesses. */
const FIRST_ACCESS = HEAD_BYTES + 2 * WORD_BYTES;
const THREAD_NAME = HEAD_BYTES + 3 * WORD_BYTES;
const KINDS = [FETCH, LOAD, STORE, MODIFY];

/** A thread, as far as it was heard of. */
interface StreamThread {
  tid: number;
  name: string | undefined;
  accesses: number | undefined;
}

/** An address space: a process from its begin to its end or its next program. */
export interface StreamProcess {
  readonly pid: number;
  readonly program: string;
  readonly origin: ProcessOrigin;
  /** The plugin's number of it, which is the place of its counts: for a process with an end without a word. */
  readonly place: number;
  accesses: number;
  instructions: number;
  ended: boolean;
  /** By number. */
  readonly threads: StreamThread[];
  readonly regions: RegionBook;
}

export class QemuStream {
  readonly block = new AccessBlock();
  /** In the order of their starts. */
  readonly processes: StreamProcess[] = [];
  /** Programs outside the emulator, in the order of leaving. */
  readonly unseen: string[] = [];
  /** The index of the newest process with a PID. */
  readonly #byPid = new Map<number, number>();
  /** The index of a process by the plugin's number of it. */
  readonly #byPlace = new Map<number, number>();
  readonly #frame = new Uint8Array(HEAD_BYTES + PAYLOAD_BYTES);
  readonly #view = new DataView(this.#frame.buffer);
  /** The same by words of 32 bits: QEMU's machines and ours are little-endian. */
  readonly #words = new Int32Array(this.#frame.buffer);
  #have = 0;
  #at = 0;

  /**
   * Takes `bytes` from `start` until they end, or the block cannot take the next frame: it has no room for one, or the
   * frame is of another thread.
   * @returns the index to go on from, once the block was emptied
   * @throws TraceError naming the byte, for bytes of no plugin
   */
  feed(bytes: Uint8Array, start: number): number {
    let at = start;
    for (;;) {
      if (this.#have >= HEAD_BYTES && this.#have === HEAD_BYTES + this.#payload()) {
        if (!this.#take()) return at;
        this.#at += this.#have;
        this.#have = 0;
      }
      if (at === bytes.length) return at;
      const wanted = this.#have < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + this.#payload();
      const take = Math.min(wanted - this.#have, bytes.length - at);
      this.#frame.set(bytes.subarray(at, at + take), this.#have);
      this.#have += take;
      at += take;
    }
  }

  /** Whether a frame is waiting: the block could not take it. */
  get waiting(): boolean {
    return this.#have >= HEAD_BYTES && this.#have === HEAD_BYTES + this.#payload();
  }

  /** @throws TraceError when the last frame is not whole */
  finish(): void {
    if (this.#have > 0) throw this.#refuse('the rest of a frame', `only ${this.#have} bytes of it`);
  }

  /** Bytes of the payload, once the head is there. */
  #payload(): number {
    const bytes = this.#view.getUint32(8, true);
    if (bytes > PAYLOAD_BYTES) throw this.#refuse(`at most ${PAYLOAD_BYTES} bytes in a frame`, `${bytes}`);
    return bytes;
  }

  /** False when the block must be emptied first. */
  #take(): boolean {
    const type = this.#view.getUint32(0, true);
    const pid = this.#view.getUint32(4, true);
    if (type === FrameType.accesses) return this.#takeAccesses(this.#process(pid));
    if (type === FrameType.begin || type === FrameType.forked) this.#begin(pid, type);
    else if (type === FrameType.end) this.processes[this.#process(pid)].ended = true;
    else if (type === FrameType.away) this.unseen.push(this.#text(HEAD_BYTES));
    else if (type === FrameType.thread) this.#takeThread(this.processes[this.#process(pid)]);
    else if (type === FrameType.region) this.#takeRegion(this.processes[this.#process(pid)]);
    else if (type === FrameType.resident) this.#takeResident(this.processes[this.#process(pid)]);
    else if (type === FrameType.threadBegin) this.#beginThread(this.processes[this.#process(pid)]);
    else throw this.#refuse('a type of frame from 1 to 9', String(type));
    return true;
  }

  #begin(pid: number, type: number): void {
    const exec = this.#byPid.has(pid) && type === FrameType.begin;
    const origin = type === FrameType.forked ? 'fork' : exec ? 'exec' : 'command';
    const forked = type === FrameType.forked;
    const parent = forked ? this.#byPid.get(this.#word(1)) : undefined;
    this.#byPid.set(pid, this.processes.length);
    const regions = parent === undefined ? new RegionBook() : this.processes[parent].regions.copy(this.#word(2));
    const program = this.#text(HEAD_BYTES + WORD_BYTES * (forked ? 3 : 1));
    const place = this.#word(0);
    this.#byPlace.set(place, this.processes.length);
    const counted = { accesses: 0, instructions: 0, ended: false, threads: [] };
    this.processes.push({ pid, program, origin, place, ...counted, regions });
  }

  #process(pid: number): number {
    const index = this.#byPid.get(pid);
    if (index === undefined) throw this.#refuse('the begin of a process first', `process ${pid}`);
    return index;
  }

  #beginThread({ threads }: StreamProcess): void {
    const number = this.#word(0);
    // Of two that begin at once the second may be heard of first.
    while (threads.length <= number) threads.push({ tid: 0, name: undefined, accesses: undefined });
    threads[number].tid = this.#word(1);
  }

  #thread({ threads }: StreamProcess, number: number): StreamThread {
    if (number >= threads.length) throw this.#refuse('the begin of a thread first', `thread ${number}`);
    return threads[number];
  }

  #takeThread(process: StreamProcess): void {
    const [number, accesses, instructions] = [0, 1, 2].map((index) => this.#word(index));
    const thread = this.#thread(process, number);
    thread.accesses = (thread.accesses ?? 0) + accesses;
    const name = this.#text(THREAD_NAME);
    // A thread without a name of its own has QEMU's.
    if (name !== '' && !name.startsWith('qemu-')) thread.name = name;
    process.accesses += accesses;
    process.instructions += instructions;
  }

  #takeRegion({ regions }: StreamProcess): void {
    const [change, start, end, more, stillMore, now] = [0, 1, 2, 3, 4, 5].map((index) => this.#word(index));
    if (change === Change.mapped) {
      const name = this.#text(HEAD_BYTES + WORD_BYTES * REGION_NAME_WORD);
      regions.map(start, end, more & 7, Math.floor(more / 8), stillMore, name, now);
    } else if (change === Change.unmapped) regions.unmap(start, end, now);
    else if (change === Change.protected) regions.protect(start, end, more);
    else if (change === Change.advised) regions.advise(start, end, more === 1 ? 'huge' : 'nohuge');
    else if (change === Change.moved) regions.move(start, end, more, stillMore, now);
    else if (change === Change.heap) regions.break(start, now);
    else throw this.#refuse('a change of mappings from 1 to 6', String(change));
  }

  #takeResident({ regions }: StreamProcess): void {
    if (this.#word(0) === 1) regions.beginResident();
    for (let index = 1; HEAD_BYTES + WORD_BYTES * (index + 3) <= this.#have; index += 3) {
      regions.noteResident(this.#word(index), this.#word(index + 1), this.#word(index + 2));
    }
  }

  #takeAccesses(process: number): boolean {
    const { block } = this;
    const [thread, window] = [this.#word(0), this.#word(1)];
    this.#thread(this.processes[process], thread);
    const same = block.process === process && block.thread === thread;
    if (block.length > 0 && (!same || block.length > BLOCK_ACCESSES - PAYLOAD_BYTES / WORD_BYTES)) return false;
    block.process = process;
    block.thread = thread;
    block.window = window;
    const end = this.#have >>> 2;
    if (this.#pushAccesses(this.#words, FIRST_ACCESS >>> 2, end) < end) {
      throw this.#refuse('an access of 1 to 63 bytes', '0 bytes');
    }
    return true;
  }

  /**
   * Takes accesses of a window from `start` until `end`, or until the block cannot take the next: it is full, or the access
   * is of another thread. Those of a thread that nothing was told of are left out: it began as the recording ended.
   * @returns the index to go on from, once the block was emptied
   */
  feedWindow(words: Int32Array, start: number, end: number): number {
    const { block } = this;
    for (let at = start; ;) {
      at = this.#pushAccesses(words, at, end);
      if (at === end || block.length === BLOCK_ACCESSES) return at;
      const process = this.#byPlace.get(words[at] >>> 0);
      const thread = words[at + 1];
      if (process === undefined || thread >= this.processes[process].threads.length) {
        do at += 2;
        while (at < end && words[at + 1] >>> SIZE_BIT !== 0);
        continue;
      }
      if (block.length > 0 && (block.process !== process || block.thread !== thread)) return at;
      block.process = process;
      block.thread = thread;
      at += 2;
    }
  }

  /**
   * Takes accesses until one has no bytes, or the block is full; the index after them. The columns are written here, since a
   * call for each access takes as long as the rest.
   */
  #pushAccesses(from: Int32Array, start: number, end: number): number {
    const { words, kinds, length } = this.block;
    const last = Math.min(end, start + 2 * (BLOCK_ACCESSES - length));
    let at = ACCESS_WORDS * length;
    let i = start;
    for (; i < last; i += 2) {
      const top = from[i + 1];
      const size = top >>> SIZE_BIT;
      if (size === 0) break;
      const kind = KINDS[(top >>> 24) & 3];
      // Bit 55 fills the bits above: addresses are sign-extended.
      words[at] = (top << 8) >> 8;
      words[at + LOW_WORD] = from[i];
      words[at + OPERATION_WORD] = kind | (size << SIZE_SHIFT);
      at += ACCESS_WORDS;
      kinds[kind]++;
    }
    this.block.length = at / ACCESS_WORDS;
    return i;
  }

  #word(index: number): number {
    return Number(this.#view.getBigUint64(HEAD_BYTES + WORD_BYTES * index, true));
  }

  #text(from: number): string {
    return new TextDecoder().decode(this.#frame.subarray(from, this.#have));
  }

  #refuse(expected: string, found: string): TraceError {
    return new TraceError('qemu', `byte ${this.#at}`, `expected ${expected}, found ${found}`);
  }
}

/**
 * The accesses of the frames in `chunks`; the block is the stream's own.
 * @throws TraceError as {@link QemuStream.feed} does
 */
export async function* qemuBlocks(chunks: AsyncIterable<Uint8Array>, stream: QemuStream): AsyncGenerator<AccessBlock> {
  const { block } = stream;
  for await (const chunk of chunks) {
    let at = 0;
    // Every chunk is delivered at once: a live program may be silent for long after its last access.
    do {
      at = stream.feed(chunk, at);
      if (block.length > 0) yield block;
      block.clear();
    } while (at < chunk.length || stream.waiting);
  }
  stream.finish();
}
