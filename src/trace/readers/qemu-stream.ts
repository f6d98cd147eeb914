/**
 * Reads what the plugin in `node/qemu/plugin.c` sends: frames, little-endian, of two words of 64 bits and a payload.
 *
 *     word 0   bits 0 to 31 the type, 32 to 63 the process
 *     word 1   bytes of the payload, at most 4080
 *
 * An access is a word: address in bits 0 to 55, kind in 56 and 57 (0 fetch, 1 load, 2 store, 3 both), size in 58 to 63.
 */

import { AccessBlock, BLOCK_ACCESSES, FETCH, LOAD, MODIFY, STORE } from '../block.js';
import { TraceError } from '../trace-error.js';

/** What the payload of a frame is. */
const FrameType = {
  /** The path of a program that begins. */
  begin: 1,
  /** The path of the program that a new child goes on with. */
  forked: 2,
  /** Accesses in the order in which they came. */
  accesses: 3,
  /** What a process counted until it ended or replaced its program: accesses, instructions, threads. */
  end: 4,
  /** The path of a program that runs outside the emulator from here on. */
  away: 5,
} as const;

const HEAD_BYTES = 16;
const PAYLOAD_BYTES = 4096 - HEAD_BYTES;
const WORD_BYTES = 8;
const KINDS = [FETCH, LOAD, STORE, MODIFY];

export class QemuStream {
  readonly block = new AccessBlock();
  /** What all processes that ended counted, whether it was recorded or not. */
  counted = { accesses: 0, instructions: 0 };
  /** Programs that left the emulator, in order. */
  readonly unseen: string[] = [];
  /** Processes that began and have not ended. */
  readonly #running = new Set<number>();
  readonly #programs = new Map<number, number>();
  readonly #frame = new Uint8Array(HEAD_BYTES + PAYLOAD_BYTES);
  readonly #view = new DataView(this.#frame.buffer);
  #have = 0;
  #at = 0;

  /** Processes that began, one that replaced its program counting again: address spaces, in a word. */
  get processes(): number {
    return [...this.#programs.values()].reduce((sum, times) => sum + Math.max(1, times), 0);
  }

  /** Processes whose end was not heard of: they run, or a signal killed them. */
  get unended(): number {
    return this.#running.size;
  }

  /**
   * Takes `bytes` from `start` until they end or the block has no room for another frame.
   * @returns where to go on from
   * @throws TraceError naming the byte, for what no plugin sends
   */
  feed(bytes: Uint8Array, start: number): number {
    let at = start;
    while (at < bytes.length) {
      if (this.block.length > BLOCK_ACCESSES - PAYLOAD_BYTES / WORD_BYTES) break;
      const wanted = this.#have < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + this.#payload();
      const take = Math.min(wanted - this.#have, bytes.length - at);
      this.#frame.set(bytes.subarray(at, at + take), this.#have);
      this.#have += take;
      at += take;
      if (this.#have >= HEAD_BYTES && this.#have === HEAD_BYTES + this.#payload()) this.#take();
    }
    return at;
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

  #take(): void {
    const type = this.#view.getUint32(0, true);
    const process = this.#view.getUint32(4, true);
    if (type === FrameType.accesses) this.#takeAccesses();
    else if (type === FrameType.begin || type === FrameType.forked) {
      const times = this.#programs.get(process) ?? 0;
      this.#programs.set(process, times + (type === FrameType.begin ? 1 : 0));
      this.#running.add(process);
    } else if (type === FrameType.end) {
      this.counted.accesses += this.#word(0);
      this.counted.instructions += this.#word(1);
      this.#running.delete(process);
    } else if (type === FrameType.away) this.unseen.push(this.#text());
    else throw this.#refuse('a type of frame from 1 to 5', String(type));
    this.#at += this.#have;
    this.#have = 0;
  }

  #takeAccesses(): void {
    for (let at = HEAD_BYTES; at < this.#have; at += WORD_BYTES) {
      const top = this.#view.getUint32(at + 4, true);
      const size = top >>> 26;
      if (size === 0) throw this.#refuse('an access of 1 to 63 bytes', '0 bytes');
      // Bit 55 fills the bits above: addresses are sign-extended.
      this.block.push(KINDS[(top >>> 24) & 3], (top << 8) >> 8, this.#view.getInt32(at, true), size);
    }
  }

  #word(index: number): number {
    return Number(this.#view.getBigUint64(HEAD_BYTES + WORD_BYTES * index, true));
  }

  #text(): string {
    return new TextDecoder().decode(this.#frame.subarray(HEAD_BYTES, this.#have));
  }

  #refuse(expected: string, found: string): TraceError {
    return new TraceError('qemu', `byte ${this.#at}`, `expected ${expected}, found ${found}`);
  }
}

/**
 * The accesses that the frames in `chunks` hold; the block is the stream's own.
 * @throws TraceError as {@link QemuStream.feed} does
 */
export async function* qemuBlocks(chunks: AsyncIterable<Uint8Array>, stream: QemuStream): AsyncGenerator<AccessBlock> {
  const { block } = stream;
  for await (const chunk of chunks) {
    let at = 0;
    // Every chunk is delivered at once: a live program may be silent for long after its last access.
    while (at < chunk.length) {
      at = stream.feed(chunk, at);
      if (block.length > 0) yield block;
      block.clear();
    }
  }
  stream.finish();
}
