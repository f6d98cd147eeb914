/**
 * The soft TLB's hit loop as a WebAssembly module of one function, put together byte by byte.
 *
 * RAM has to lie in the module's own memory, so the rival works on a copy; a miss comes back to JavaScript, and its walker
 * reads the original.
 */

import type { Mmu } from '../../hw/x86/mmu.js';
import { CHUNK } from '../native/workload.js';
import { ACCESS, found } from './loads.js';
import type { LoadChunk, LoadWork } from './loads.js';

/** The used part of a global missing in Node's type library; the browser's has it. */
declare const WebAssembly: {
  readonly Memory: new (options: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: { readonly hits: HitLoop } };
};

/** Loads words from the place `at` on until an address misses, and returns its place, or `end`. */
type HitLoop = (at: number, end: number) => number;

/** Bytes of a WebAssembly page, and an entry of the TLB: tag, high word, frame, unused. */
const WASM_PAGE = 65_536;
const ENTRY_BYTES = 16;
const ENTRIES = 256;
const VALID = 4;

/** Numbers as WebAssembly has them: seven bits a byte, the least first, the last without the top bit (LEB128). */
function leb(value: number): number[] {
  const rest = value >> 7;
  const isLast = (rest === 0 && (value & 64) === 0) || (rest === -1 && (value & 64) !== 0);
  return isLast ? [value & 127] : [(value & 127) | 128, ...leb(rest)];
}

/** The same for numbers never negative: sizes, indexes, offsets. */
function unsignedLeb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsignedLeb(value >>> 7)];
}

const sized = (bytes: readonly number[]): number[] => [...unsignedLeb(bytes.length), ...bytes];
const section = (id: number, ...parts: readonly (readonly number[])[]): number[] => [
  id,
  ...sized([1, ...parts.flat()]),
];
const name = (text: string): number[] => sized([...Buffer.from(text)]);

const I32 = 0x7f;
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const constant = (value: number): number[] => [0x41, ...leb(value)];
const load = (offset: number): number[] => [0x28, 2, ...unsignedLeb(offset)];
const store = (offset: number): number[] => [0x36, 2, ...unsignedLeb(offset)];
const leaveIf = [0x0d, 1];
const [NOT_EQUAL, GREATER_OR_EQUAL, ADD, AND, OR, SHIFT_LEFT, SHIFT_RIGHT] = [0x47, 0x4e, 0x6a, 0x71, 0x72, 0x74, 0x76];

/** Locals: places of the next address and of the last, as bytes from the arrays' beginnings; then two of its own. */
const [AT, END, LO, ENTRY] = [0, 1, 2, 3];

/** The code of a {@link HitLoop}; the arrays and RAM are at constant places. */
function hitLoop(his: number, los: number, values: number, ram: number): number[] {
  return [
    ...[0x02, 0x40, 0x03, 0x40], // block, loop
    ...[...get(AT), ...get(END), GREATER_OR_EQUAL, ...leaveIf],
    ...[...get(AT), ...load(los), ...set(LO)],
    ...[...get(LO), ...constant(8), SHIFT_RIGHT, ...constant((ENTRIES - 1) * ENTRY_BYTES), AND, ...set(ENTRY)],
    ...[...get(ENTRY), ...load(0), ...get(LO), ...constant(-4096), AND, ...constant(VALID), OR, NOT_EQUAL, ...leaveIf],
    ...[...get(ENTRY), ...load(4), ...get(AT), ...load(his), NOT_EQUAL, ...leaveIf],
    ...[...get(AT), ...get(ENTRY), ...load(8), ...constant(12), SHIFT_LEFT],
    ...[...get(LO), ...constant(4095), AND, OR, ...load(ram), ...store(values)],
    ...[...get(AT), ...constant(4), ADD, ...set(AT)],
    ...[0x0c, 0, 0x0b, 0x0b], // again; end of loop and block
    ...[...get(AT), 0x0b],
  ];
}

function moduleOf(code: readonly number[]): Uint8Array {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const type = section(1, [0x60, 2, I32, I32, 1, I32]);
  const importMemory = section(2, name('js'), name('memory'), [2, 0, 1]);
  const functions = section(3, [0]);
  const exports = section(7, name('hits'), [0, 0]);
  const body = section(10, sized([1, 2, I32, ...code]));
  return Uint8Array.from([...header, ...type, ...importMemory, ...functions, ...exports, ...body]);
}

export function webAssembly(walk: Mmu, { ram, chunks, loads }: LoadWork): LoadChunk {
  const his = WASM_PAGE;
  const los = his + 4 * loads;
  const values = los + 4 * loads;
  const ramStart = Math.ceil((values + 4 * loads) / WASM_PAGE) * WASM_PAGE;
  const memory = new WebAssembly.Memory({ initial: (ramStart + ram.bytes) / WASM_PAGE });
  const all = new Int32Array(memory.buffer);
  chunks.forEach((chunk, i) => {
    all.set(chunk.his, his / 4 + i * CHUNK);
    all.set(chunk.los, los / 4 + i * CHUNK);
  });
  all.set(ram.words, ramStart / 4);
  const compiled = new WebAssembly.Module(moduleOf(hitLoop(his, los, values, ramStart)));
  const { hits } = new WebAssembly.Instance(compiled, { js: { memory } }).exports;
  const fill = (hi: number, lo: number): void => {
    const frame = found(walk.translate(hi, lo, ACCESS));
    const at = ((lo >>> 12) & (ENTRIES - 1)) * (ENTRY_BYTES / 4);
    all[at] = (lo & -4096) | VALID;
    all[at + 1] = hi;
    all[at + 2] = frame;
  };
  return (chunk, results) => {
    const end = 4 * CHUNK * (chunk + 1);
    for (let at = hits(4 * CHUNK * chunk, end); at < end; at = hits(at, end)) {
      fill(all[(his + at) / 4], all[(los + at) / 4]);
    }
    results.set(all.subarray(values / 4 + CHUNK * chunk, values / 4 + CHUNK * (chunk + 1)));
  };
}
