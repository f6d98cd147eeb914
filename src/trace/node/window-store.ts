/**
 * Windows of a run that may still go: in a file as they came. Of a long run most windows go again, and to pack one takes
 * longer than all else of its recording; so only those that stay are packed, at the end.
 */

import { open, type FileHandle } from 'node:fs/promises';
import { ACCESS_WORDS, AccessBlock, BLOCK_ACCESSES } from '../block.js';
import { keepsWindow, type WindowPlan } from '../windows.js';

const CHUNK_ACCESSES = 4 * BLOCK_ACCESSES;
const CHUNK_BYTES = CHUNK_ACCESSES * ACCESS_WORDS * Int32Array.BYTES_PER_ELEMENT;

/** Accesses of one thread in a row. */
interface Turn {
  readonly process: number;
  readonly thread: number;
  accesses: number;
}

/** A part of the file with accesses of one window. */
interface Chunk {
  readonly place: number;
  readonly turns: Turn[];
}

interface StoredWindow {
  readonly position: number;
  readonly chunks: Chunk[];
}

class WindowStore {
  #windows: StoredWindow[] = [];
  /** Of the newest chunk: the accesses so far, and their words. */
  #length = 0;
  readonly #words = new Int32Array(ACCESS_WORDS * CHUNK_ACCESSES);
  /** Places whose windows have gone, and how many there are in all. */
  readonly #free: number[] = [];
  #places = 0;

  constructor(private readonly file: FileHandle) {}

  /** @param plan undefined: all windows stay */
  async add(block: AccessBlock, plan: WindowPlan | undefined): Promise<void> {
    if (this.#windows.at(-1)?.position !== block.window) await this.#begin(block.window, plan);
    const { words, process, thread } = block;
    for (let at = 0; at < block.length;) {
      if (this.#length === CHUNK_ACCESSES) await this.flush();
      if (this.#length === 0)
        this.#windows.at(-1)?.chunks.push({ place: this.#free.pop() ?? this.#places++, turns: [] });
      const end = Math.min(block.length, at + CHUNK_ACCESSES - this.#length);
      this.#words.set(words.subarray(ACCESS_WORDS * at, ACCESS_WORDS * end), ACCESS_WORDS * this.#length);
      this.#length += end - at;
      this.#note(process, thread, end - at);
      at = end;
    }
  }

  #note(process: number, thread: number, accesses: number): void {
    const turns = this.#windows.at(-1)?.chunks.at(-1)?.turns ?? [];
    const last = turns.at(-1);
    if (last?.process === process && last.thread === thread) last.accesses += accesses;
    else turns.push({ process, thread, accesses });
  }

  async #begin(position: number, plan: WindowPlan | undefined): Promise<void> {
    await this.flush();
    if (plan !== undefined) {
      const going = this.#windows.filter((window) => !keepsWindow(plan, window.position, position));
      this.#free.push(...going.flatMap(({ chunks }) => chunks.map(({ place }) => place)));
      this.#windows = this.#windows.filter((window) => !going.includes(window));
    }
    this.#windows.push({ position, chunks: [] });
  }

  async flush(): Promise<void> {
    const place = this.#windows.at(-1)?.chunks.at(-1)?.place;
    if (this.#length === 0 || place === undefined) return;
    const bytes = new Uint8Array(this.#words.buffer, 0, ACCESS_WORDS * this.#length * Int32Array.BYTES_PER_ELEMENT);
    for (let at = 0; at < bytes.length;) {
      at += (await this.file.write(bytes, at, bytes.length - at, CHUNK_BYTES * place + at)).bytesWritten;
    }
    this.#length = 0;
  }

  /** The accesses of the windows that stayed, in their order. */
  async *blocks(): AsyncGenerator<AccessBlock> {
    const block = new AccessBlock();
    for (const { position, chunks } of this.#windows) {
      block.window = position;
      for (const { place, turns } of chunks) {
        await this.file.read(new Uint8Array(this.#words.buffer), 0, CHUNK_BYTES, CHUNK_BYTES * place);
        let from = 0;
        for (const { process, thread, accesses } of turns) {
          block.process = process;
          block.thread = thread;
          for (const end = from + accesses; from < end;) {
            const to = Math.min(end, from + BLOCK_ACCESSES);
            block.hold(this.#words.subarray(ACCESS_WORDS * from, ACCESS_WORDS * to));
            yield block;
            from = to;
          }
        }
      }
    }
  }
}

/**
 * The accesses of the windows that are there at the end, once `blocks` have ended.
 * @param blocks another {@link AccessBlock.window} in one of them begins another window
 * @param plan the rule of windows at the moment: when one begins, those that it does not keep go
 * @param path of a new file for the time between: 12 bytes an access of as many windows as the plan keeps
 */
export async function* keptWindows(
  blocks: AsyncIterable<AccessBlock>,
  plan: () => WindowPlan | undefined,
  path: string,
): AsyncGenerator<AccessBlock> {
  const file = await open(path, 'wx+');
  try {
    const store = new WindowStore(file);
    for await (const block of blocks) await store.add(block, plan());
    await store.flush();
    yield* store.blocks();
  } finally {
    await file.close();
  }
}
