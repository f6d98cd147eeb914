import { checkWhole } from './arguments.js';

/**
 * A seeded source of numbers: the same seed gives the same numbers on every machine. It makes random
 * replacement and generated workloads repeatable.
 *
 * xoshiro128** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators"), its state filled by a
 * multiply-and-mix counter: neighbouring seeds start far apart. All in int32.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param seed any integer; its low 32 bits count
   * @throws RangeError for another number
   */
  constructor(seed: number) {
    checkWhole('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    this.#a = mix(seed + 0x9e3779b9);
    this.#b = mix(seed + 0x3c6ef372);
    this.#c = mix(seed + 0xdaa66d2b);
    this.#d = mix(seed + 0x78dde6e4);
  }

  /** The next number, each int32 equally likely. */
  nextInt32(): number {
    const scrambled = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return scrambled;
  }

  /**
   * A whole number from 0 to `limit - 1`.
   * @param limit 1 to 2^32. Values differ in likelihood by at most `limit / 2^32`, the price of using one draw each.
   * @throws RangeError for another limit
   */
  below(limit: number): number {
    if ((limit | 0) !== limit || limit < 1) checkWhole('limit', limit, 1, 2 ** 32);
    return Math.floor(this.unit() * limit);
  }

  /** A number from 0 up to, not including, 1, in steps of 2^-32. */
  unit(): number {
    return (this.nextInt32() >>> 0) * 2 ** -32;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** The finalizer of MurmurHash3: a bijection of 32-bit words; every input bit moves every output bit. */
export function mix(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
