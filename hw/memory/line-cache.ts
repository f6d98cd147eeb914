/**
 * Data caches: the lines of 64 bytes in a level, and the level with the answer to a read. No bytes are kept, since RAM
 * has them; only the cost of a read is of interest.
 */

import { isWhole } from '../base/arguments.js';

/** log2 of the bytes of a line. */
export const LINE_SHIFT = 6;
const LINE_BYTES = 1 << LINE_SHIFT;
/** 4 GiB of cache. */
const MOST_LINES = 2 ** 26;
/** The line of an empty way. */
const NO_LINE = -1;

/** The shape of one level: sets x ways x 64 bytes. */
export interface LineCacheShape {
  readonly bytes: number;
  readonly ways: number;
}

/** @throws RangeError with the field, the value and a right value */
function checkShape({ bytes, ways }: LineCacheShape, name: string): void {
  if (!isWhole(ways, 1)) throw new RangeError(`${name}: ways ${ways} must be a whole number from 1`);
  const lines = bytes / LINE_BYTES;
  if (!isWhole(lines, 1, MOST_LINES) || lines % ways !== 0) {
    const multiple = `a multiple of ${ways} lines of ${LINE_BYTES} bytes`;
    throw new RangeError(`${name}: ${bytes} bytes must be ${multiple}, and at most ${MOST_LINES} lines`);
  }
}

/** One level of a data cache: sets and ways, the least recently used line goes first. */
export class LineCache {
  /** The lines of a set side by side, the one used last first. */
  private readonly lines: Int32Array;
  private readonly ways: number;
  private readonly sets: number;
  /** sets - 1 if the number of sets is a power of two, otherwise -1. */
  private readonly setMask: number;

  /** @throws RangeError for an impossible shape */
  constructor(shape: LineCacheShape, name = 'data cache') {
    checkShape(shape, name);
    const lines = shape.bytes / LINE_BYTES;
    this.ways = shape.ways;
    this.sets = lines / shape.ways;
    this.setMask = (this.sets & (this.sets - 1)) === 0 ? this.sets - 1 : -1;
    this.lines = new Int32Array(lines).fill(NO_LINE);
  }

  /** Reads a line, an int32 other than -1, and brings it in. @returns whether it was here before */
  read(line: number): boolean {
    const { lines, ways } = this;
    const set = this.setMask >= 0 ? line & this.setMask : (line >>> 0) % this.sets;
    const first = Math.imul(set, ways);
    if (lines[first] === line) return true;
    let way = first + 1;
    const end = first + ways;
    while (way < end && lines[way] !== line) way++;
    const found = way < end;
    for (let to = found ? way : end - 1; to > first; to--) lines[to] = lines[to - 1];
    lines[first] = line;
    return found;
  }
}
