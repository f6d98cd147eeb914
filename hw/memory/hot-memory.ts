/**
 * Memory of a RAM as WebAssembly's, for hot loops (hot/, and an operating system's own), with room behind RAM for their
 * arrays: they reach nothing else. It is an ArrayBuffer as any other, and the host commits only what is touched.
 */

/** The used parts of globals missing in the language's type library. */
declare const WebAssembly:
  | {
      readonly Memory: new (pages: { address?: 'i64'; initial: number | bigint; maximum: number | bigint }) => {
        readonly buffer: ArrayBuffer;
      };
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object, imports: object) => { readonly exports: object };
    }
  | undefined;
declare const atob: (base64: string) => string;
/** Node alone has it. */
declare const Buffer: { readonly from: (text: string, encoding: 'base64') => Uint8Array } | undefined;

/** WebAssembly counts memory in pages of its own, and ends at 4 GiB. */
const WASM_PAGE = 2 ** 16;
const MOST_BYTES = 2 ** 32;
/** Smaller RAMs are of demonstrations, and made by the thousand in tests. */
const LEAST_BYTES = 2 ** 23;
/** Behind RAM: enough for the TLBs of some 100 processors, or of fewer and the words that a kernel keeps of each frame. */
const ROOM_BYTES = 2 ** 24;
/** A line of the host's cache; arrays begin with one. */
const LINE_WORDS = 16;

/** Bytes of an array, up to the line where the next one begins. */
function bytesOf(words: number): number {
  return 4 * LINE_WORDS * Math.ceil(words / LINE_WORDS);
}

/** Modules by their base64, compiled at the first use; null where the host refuses. */
const compiled = new Map<string, object | null>();

/** A loop of JavaScript over 16 KiB takes some milliseconds before V8 has compiled it. */
function decode(base64: string): Uint8Array {
  if (typeof Buffer !== 'undefined') return Buffer.from(base64, 'base64');
  return Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
}

function compile(base64: string): object | null {
  if (typeof WebAssembly === 'undefined') return null;
  try {
    return new WebAssembly.Module(decode(base64));
  } catch {
    return null;
  }
}

/** A WebAssembly.Memory; null where the host refuses it, or has none. Beyond 4 GiB its addresses have 64 bits. */
function makeMemory(pages: number): { readonly buffer: ArrayBuffer } | null {
  if (typeof WebAssembly === 'undefined') return null;
  try {
    if (pages * WASM_PAGE <= MOST_BYTES) return new WebAssembly.Memory({ initial: pages, maximum: pages });
    return new WebAssembly.Memory({ address: 'i64', initial: BigInt(pages), maximum: BigInt(pages) });
  } catch {
    // The host reserves more for it than for a plain buffer, and may refuse. Those of before 2025 have no 64 bits.
    return null;
  }
}

export class HotMemory {
  readonly buffer: ArrayBuffer;
  /** Shorter batches are not worth their copies. */
  leastBatch = 256;
  private taken: number;
  private readonly end: number;
  private readonly named = new Map<string, Int32Array>();

  private constructor(
    /** A WebAssembly.Memory. */
    private readonly memory: { readonly buffer: ArrayBuffer },
    /** RAM lies from 0 up to here. */
    readonly ramBytes: number,
  ) {
    this.buffer = memory.buffer;
    this.taken = ramBytes;
    this.end = Math.min(this.buffer.byteLength, ramBytes + ROOM_BYTES);
  }

  private static ofPages(pages: number, ramBytes: number): HotMemory | null {
    const memory = makeMemory(pages);
    return memory === null ? null : new HotMemory(memory, ramBytes);
  }

  /** Memory for a RAM of `bytes`, or null where RAM is too small or too large, or the host has no WebAssembly. */
  static make(bytes: number): HotMemory | null {
    const pages = Math.ceil((bytes + ROOM_BYTES) / WASM_PAGE);
    return bytes < LEAST_BYTES || pages * WASM_PAGE >= MOST_BYTES ? null : HotMemory.ofPages(pages, bytes);
  }

  /** A buffer of so many bytes or more; null where the host refuses it, or has no WebAssembly. */
  static bufferOf(bytes: number): ArrayBuffer | null {
    return makeMemory(Math.ceil(bytes / WASM_PAGE))?.buffer ?? null;
  }

  /** Memory without RAM: for arrays of so many bytes, up to 16 MiB. Null where the host has none. */
  static withoutRam(bytes: number): HotMemory | null {
    return HotMemory.ofPages(Math.ceil(bytes / WASM_PAGE), 0);
  }

  /**
   * The functions of a module and arrays of zeros for them, in one memory; null where the host refuses.
   * @param given that memory if it has room, else they get one of their own
   * @param words how many each array has
   */
  static makeLoop(
    given: HotMemory | null,
    base64: string,
    words: readonly number[],
  ): { readonly memory: HotMemory; readonly functions: object; readonly arrays: readonly Int32Array[] } | null {
    const bytes = words.reduce((sum, length) => sum + bytesOf(length), 0);
    const memory = given?.hasRoom(bytes) === true ? given : HotMemory.withoutRam(bytes);
    const functions = memory?.instantiate(base64) ?? null;
    if (memory === null || functions === null) return null;
    const arrays = words.map((length) => memory.take(length));
    return arrays.every((array) => array !== null) ? { memory, functions, arrays } : null;
  }

  /**
   * The functions of a module over this memory. A host may refuse to compile one (a page's content policy without
   * 'wasm-unsafe-eval', for instance): then null.
   * @param base64 the module, as `npm run build:hot` makes it
   */
  instantiate(base64: string): object | null {
    let module = compiled.get(base64);
    if (module === undefined) {
      module = compile(base64);
      compiled.set(base64, module);
    }
    if (module === null || typeof WebAssembly === 'undefined') return null;
    return new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports;
  }

  /** Whether there is room for arrays of so many bytes, beginning with a line each. */
  hasRoom(bytes: number): boolean {
    return this.taken + bytes <= this.end;
  }

  /** An array of zeros from the room behind RAM; null when none is left. Nothing is given back. */
  take(words: number): Int32Array | null {
    const start = this.taken;
    const end = start + bytesOf(words);
    if (end > this.end) return null;
    this.taken = end;
    return new Int32Array(this.buffer, start, words);
  }

  /** As {@link take}, with the same words for whoever comes later under the same name: zeros again, for one at a time. */
  takeNamed(name: string, words: number): Int32Array | null {
    const known = this.named.get(name);
    if (known !== undefined) return known.fill(0);
    const taken = this.take(words);
    if (taken !== null) this.named.set(name, taken);
    return taken;
  }
}
