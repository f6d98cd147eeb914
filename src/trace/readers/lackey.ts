/**
 * Reads the text of valgrind's lackey tool with `--trace-mem=yes`:
 *
 *     I  04001000,3          an instruction fetch: address in hexadecimal, size in decimal
 *      L 1ffefff8f0,8        a load
 *      S 1ffefff8e8,8        a store
 *      M 0421c7cc,4          a modify: a load and a store of the same bytes
 *     ==4711== Lackey, …     valgrind's own words, between `==`, `--` or `**`: passed over
 *
 * Bytes are parsed in place: no string and no object is made for a line.
 * Source: Valgrind User Manual, "Lackey: an example tool", and the layout of `lackey/lk_main.c`'s messages.
 */

import { formatHex } from '../../../hw/base/address.js';
import { AccessBlock, BLOCK_ACCESSES, FETCH, LOAD, MAX_ACCESS_BYTES, MODIFY, STORE } from '../block.js';
import { TraceError } from '../trace-error.js';

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const COMMA = 44;
const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** Longer than any access line. A longer line is valgrind's own or malformed; its head tells. */
const LONGEST_ACCESS_LINE = 64;

/** How lackey's first line goes on after the process number. A child after fork alone writes none. */
const BANNER = new TextEncoder().encode(' Lackey');

/** The value of a hexadecimal digit by its character code; 255 for every other character. */
const HEX_DIGIT = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16);
  HEX_DIGIT[text.charCodeAt(0)] = digit;
  HEX_DIGIT[text.toUpperCase().charCodeAt(0)] = digit;
}

/** The sorts of line, besides an access. */
const MALFORMED = -1;
const NOT_AN_ACCESS = -2;

export interface LackeyOptions {
  /** For messages: the file's name, or `standard input`. */
  readonly source: string;
  /** Skip and count malformed lines instead of failing at the first. */
  readonly lenient: boolean;
}

/**
 * A push parser: {@link feed} it bytes, empty {@link block} whenever it says so, and {@link finish} it.
 * Lines may be cut anywhere between two feeds.
 */
export class LackeyParser {
  readonly block = new AccessBlock();
  skippedLines = 0;
  /** How often each process introduced itself: once it begins, and again when it has replaced its program (exec). */
  readonly #beginnings = new Map<number, number>();
  /** Lines seen so far, the one being read included. */
  line = 0;
  readonly #options: LackeyOptions;
  /** The head of a line without its end yet, and the line's length so far. */
  readonly #partial = new Uint8Array(LONGEST_ACCESS_LINE + 1);
  #partialLength = 0;
  /** The access last read by parseLine. */
  #addressHi = 0;
  #addressLo = 0;
  #size = 0;
  /** The start of the line after it. */
  #next = 0;

  constructor(options: LackeyOptions) {
    this.#options = options;
  }

  /**
   * Parses `bytes` from `start` until they end or {@link block} is full.
   * @returns the place to go on from; below `bytes.length` only when the block is full.
   * @throws TraceError naming the line, at the first malformed one unless lenient.
   */
  feed(bytes: Uint8Array, start: number): number {
    let at = start;
    if (this.#partialLength > 0) {
      const end = bytes.indexOf(NEWLINE, at);
      const stop = end < 0 ? bytes.length : end;
      this.#keep(bytes, at, stop);
      if (end < 0) return bytes.length;
      this.#endPartialLine();
      at = end + 1;
    }
    const lastNewline = bytes.lastIndexOf(NEWLINE);
    while (at <= lastNewline) {
      if (this.block.length === BLOCK_ACCESSES) return at;
      at = this.#takeLine(bytes, at);
    }
    // A full block goes out first: the rest of a line kept here must find room when it ends.
    if (at < bytes.length && this.block.length === BLOCK_ACCESSES) return at;
    this.#keep(bytes, at, bytes.length);
    return bytes.length;
  }

  /** Takes the last line when no newline ended it. The block must not be full. */
  finish(): void {
    if (this.#partialLength > 0) this.#endPartialLine();
  }

  /** Processes named in valgrind's own lines, each once for every program it ran: address spaces, in a word. */
  get processes(): number {
    return [...this.#beginnings.values()].reduce((sum, times) => sum + Math.max(1, times), 0);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const room = this.#partial.length - 1 - this.#partialLength;
    if (room > 0) this.#partial.set(bytes.subarray(start, Math.min(end, start + room)), this.#partialLength);
    this.#partialLength += end - start;
  }

  #endPartialLine(): void {
    const kept = Math.min(this.#partialLength, LONGEST_ACCESS_LINE);
    this.#partial[kept] = NEWLINE;
    this.#takeLine(this.#partial, 0);
    this.#partialLength = 0;
  }

  /** Reads the line at `start`, up to a newline, and returns the start of the next. */
  #takeLine(bytes: Uint8Array, start: number): number {
    this.line++;
    const kind = this.#parseLine(bytes, start);
    if (kind >= 0) {
      this.block.push(kind, this.#addressHi, this.#addressLo, this.#size);
      return this.#next;
    }
    const end = bytes.indexOf(NEWLINE, start);
    if (kind === NOT_AN_ACCESS) {
      this.#noteProcess(bytes, start);
    } else {
      if (!this.#options.lenient) {
        const problem = explainLine(new TextDecoder('latin1').decode(bytes.subarray(start, end)));
        throw new TraceError(this.#options.source, `line ${this.line}`, problem);
      }
      this.skippedLines++;
    }
    return end + 1;
  }

  /** Takes the process number out of `==4711== …`; with a time before it, or on an empty line, there is none to see. */
  #noteProcess(bytes: Uint8Array, start: number): void {
    const mark = bytes[start];
    let at = start + 2;
    let process = 0;
    while (bytes[at] >= DIGIT_0 && bytes[at] <= DIGIT_9) process = process * 10 + bytes[at++] - DIGIT_0;
    if (at === start + 2 || bytes[at] !== mark || bytes[at + 1] !== mark) return;
    const begins = BANNER.every((char, i) => bytes[at + 2 + i] === char);
    this.#beginnings.set(process, (this.#beginnings.get(process) ?? 0) + (begins ? 1 : 0));
  }

  /** The kind of the access on the line at `start`, its address and size in fields; or a negative code. */
  #parseLine(bytes: Uint8Array, start: number): number {
    const kind = lineKind(bytes, start);
    if (kind < 0) return kind;
    let at = start + 3;
    let hi = 0;
    let lo = 0;
    let digit = HEX_DIGIT[bytes[at]];
    while (digit < 16) {
      hi = (hi << 4) | (lo >>> 28);
      lo = (lo << 4) | digit;
      digit = HEX_DIGIT[bytes[++at]];
    }
    const digits = at - start - 3;
    if (digits === 0 || digits > 16 || bytes[at] !== COMMA) return MALFORMED;
    let size = 0;
    let char = bytes[++at];
    while (char >= DIGIT_0 && char <= DIGIT_9) {
      size = size * 10 + char - DIGIT_0;
      if (size > MAX_ACCESS_BYTES) return MALFORMED;
      char = bytes[++at];
    }
    if (char === CARRIAGE_RETURN) char = bytes[++at];
    if (char !== NEWLINE || size === 0 || wraps(hi, lo, size)) return MALFORMED;
    this.#addressHi = hi;
    this.#addressLo = lo;
    this.#size = size;
    this.#next = at + 1;
    return kind;
  }
}

/**
 * The accesses in the text in `chunks`; the block is the parser's own.
 * @throws TraceError as {@link LackeyParser.feed} does.
 */
export async function* lackeyBlocks(
  chunks: AsyncIterable<Uint8Array>,
  parser: LackeyParser,
): AsyncGenerator<AccessBlock> {
  const { block } = parser;
  for await (const chunk of chunks) {
    let at = 0;
    // Every chunk is delivered at once: a live program may be silent for long after its last line.
    while (at < chunk.length) {
      at = parser.feed(chunk, at);
      if (block.length > 0) yield block;
      block.clear();
    }
  }
  parser.finish();
  if (block.length > 0) yield block;
}

/** True when `size` bytes at an address reach beyond 2^64. */
function wraps(hi: number, lo: number, size: number): boolean {
  return hi === -1 && (lo >>> 0) + size > 2 ** 32;
}

function lineKind(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  const second = bytes[start + 1];
  if (first === SPACE) {
    if (bytes[start + 2] !== SPACE) return MALFORMED;
    return second === 0x4c ? LOAD : second === 0x53 ? STORE : second === 0x4d ? MODIFY : MALFORMED;
  }
  if (first === 0x49) return second === SPACE && bytes[start + 2] === SPACE ? FETCH : MALFORMED;
  if (first === NEWLINE || (first === CARRIAGE_RETURN && second === NEWLINE)) return NOT_AN_ACCESS;
  return isValgrindsOwn(first, second, bytes[start + 2]) ? NOT_AN_ACCESS : MALFORMED;
}

/** `==4711== …`, `--4711-- …`, `**4711** …`; with --time-stamp=yes a time stands before the process. */
function isValgrindsOwn(first: number, second: number, third: number): boolean {
  const mark = first === 0x3d || first === 0x2d || first === 0x2a;
  return mark && second === first && third >= DIGIT_0 && third <= DIGIT_9;
}

/** Why `text` is no line of a trace: off the hot path, so it may look as closely as it likes. */
function explainLine(text: string): string {
  const line = text.replace(/\r$/, '');
  const printable = line.replace(/[^\x20-\x7e]/g, '?');
  const found = `found '${printable.length > 40 ? `${printable.slice(0, 40)}…` : printable}'`;
  const parts = /^(?:I {2}| [LSM] )([0-9a-fA-F]*)(,?)(\d*)(.*)$/.exec(printable);
  if (parts === null) {
    return `expected a lackey access such as ' L 1ffefff8f0,8' (I, L, S or M, address, size), ${found}`;
  }
  const [, address = '', comma, size = '', rest] = parts;
  if (address === '') return `expected a hexadecimal address after the kind, ${found}`;
  if (address.length > 16) return `expected an address of at most 16 hexadecimal digits (64 bits), ${found}`;
  if (comma === '') return `expected ',' and a size after the address, ${found}`;
  if (size === '') return `expected a decimal size after the comma, ${found}`;
  if (rest !== '') return `expected the line to end after the size, ${found}`;
  if (Number(size) < 1 || Number(size) > MAX_ACCESS_BYTES) {
    return `expected a size from 1 to ${MAX_ACCESS_BYTES} bytes, ${found}`;
  }
  return `expected an access that ends below 2^64, found ${size} bytes at ${formatHex(-1, Number.parseInt(address.slice(-8), 16) | 0)}`;
}
