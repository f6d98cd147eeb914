/** A toy machine as JSON: its shape, its memory, what its TLB holds. The presets are such states, too. */

import { z } from 'zod';
import { DIRTY } from '../../../hw/base/permission.js';
import { ToyMachine } from '../../../hw/toy/machine.js';
import { TOY_EXECUTABLE, TOY_USER, TOY_WRITABLE } from '../../../hw/toy/shape.js';
import type { ToyShape } from '../../../hw/toy/shape.js';
import { AccessKind, checkState, hexValue } from '../machine-state.js';
import { accessBits, STATE_VERSION, StateError } from '../state-form.js';

/** Without `memoryBytes` a machine has all that its physical addresses reach, but not more than this. */
const MOST_DEFAULT_MEMORY = 2 ** 24;

/** A plain number; as text it is hexadecimal. */
const number = hexValue
  .refine(({ hi }) => hi === 0, { message: 'must be below 0x100000000' })
  .transform(({ lo }) => lo >>> 0);

const bit = z.int();
const Entry = z.strictObject({
  bytes: z.union([z.literal(1), z.literal(2), z.literal(4)]),
  frame: z.tuple([bit, bit]).readonly().describe('highest and lowest bit'),
  valid: bit,
  writable: bit.exactOptional(),
  executable: bit.exactOptional(),
  user: bit.exactOptional(),
  accessed: bit.exactOptional(),
  dirty: bit.exactOptional(),
});

const Pages = z.strictObject({
  bytes: z.int(),
  root: number.describe('physical address of the root table'),
  levels: z.array(z.int()).optional().describe('bits of each index, root first; one level when absent'),
  entry: Entry,
  tableEntry: Entry.exactOptional(),
});

const Segment = z.strictObject({
  base: number,
  limit: number,
  grows: z.enum(['up', 'down']).default('up'),
  writable: z.boolean().default(true),
  executable: z.boolean().default(true),
});

const held = {
  frame: number,
  writable: z.boolean().default(true),
  executable: z.boolean().default(true),
  user: z.boolean().default(true),
};
/** By the number of its page, or by set and tag as in a table of the TLB. */
const Held = z.union([
  z.strictObject({ page: number, ...held }),
  z.strictObject({ set: number, tag: number, ...held }),
]);

const Tlb = z.strictObject({
  sets: z.int(),
  ways: z.int(),
  replacement: z.enum(['lru', 'fifo']).default('lru'),
  entries: z.array(Held).default([]),
});

const Memory = z.union([
  z.strictObject({
    at: number,
    bytes: z.string().regex(/^(\s*[0-9a-fA-F]{2})*\s*$/, 'expected bytes of two hexadecimal digits, such as "83 87"'),
  }),
  z.strictObject({
    at: number,
    words: z.array(number),
    wordBytes: z.union([z.literal(1), z.literal(2), z.literal(4)]).default(4),
  }),
]);

const Access = z.strictObject({ at: number, access: AccessKind.default('read'), user: z.boolean().default(false) });

const ToyState = z.strictObject({
  schemaVersion: z.literal(STATE_VERSION),
  machine: z.literal('toy').default('toy'),
  about: z.string().default('toy machine'),
  virtualBits: z.int(),
  physicalBits: z.int(),
  memoryBytes: z.int().optional(),
  pages: Pages.optional(),
  segments: z.strictObject({ bits: z.int(), registers: z.array(Segment) }).optional(),
  tlb: Tlb.optional(),
  memory: z.array(Memory).default([]),
  accesses: z.array(Access).default([]).describe('made in this order, before the one to explain'),
});

/** A toy machine as `pagewalk walk --machine toy --state` reads it. */
export type ToyState = z.infer<typeof ToyState>;
/** The same as it is written, defaults left out. */
export type ToyStateInput = z.input<typeof ToyState>;

/**
 * Checks the content of a file and fills in the defaults.
 * @throws StateError
 */
export function parseToyState(value: unknown): ToyState {
  return checkState(
    ToyState,
    value,
    '{"schemaVersion": 1, "virtualBits": 6, "physicalBits": 7, "pages": {…}, "memory": […]}',
  );
}

function shapeOf({ virtualBits, physicalBits, memoryBytes, pages, segments, tlb }: ToyState): ToyShape {
  const shape: ToyShape = {
    virtualBits,
    physicalBits,
    memoryBytes: memoryBytes ?? Math.min(2 ** physicalBits, MOST_DEFAULT_MEMORY),
    ...(segments && { segmentation: segments }),
    ...(tlb && { tlb: { sets: tlb.sets, ways: tlb.ways, replacement: tlb.replacement } }),
  };
  if (pages === undefined) return shape;
  const { bytes: pageBytes, levels = [virtualBits - Math.log2(pageBytes)], ...rest } = pages;
  return { ...shape, paging: { pageBytes, levels, ...rest } };
}

/** Builds the machine and makes its accesses. @throws StateError for a machine that cannot be */
export function buildToy(state: ToyState): ToyMachine {
  try {
    const machine = new ToyMachine(shapeOf(state));
    fillMemory(machine, state);
    fillTlb(machine, state);
    for (const [number, { at, access, user }] of state.accesses.entries()) {
      if (machine.translate(at, accessBits(access, user)) >= 0) continue;
      throw new StateError(
        `accesses.${number}.at 0x${at.toString(16)}: ends in a fault; leave it out, or map the address`,
      );
    }
    return machine;
  } catch (error) {
    throw error instanceof RangeError ? new StateError(error.message) : error;
  }
}

function fillMemory(machine: ToyMachine, { memory }: ToyState): void {
  const { memoryBytes } = machine.shape;
  for (const [number, part] of memory.entries()) {
    const isBytes = 'bytes' in part;
    const words = isBytes ? (part.bytes.match(/[0-9a-f]{2}/gi) ?? []).map((text) => parseInt(text, 16)) : part.words;
    const width = isBytes ? 1 : part.wordBytes;
    const end = part.at + words.length * width;
    if (end > memoryBytes) {
      throw new StateError(
        `memory.${number}.at 0x${part.at.toString(16)}: ends at 0x${end.toString(16)}, past memoryBytes ${memoryBytes}`,
      );
    }
    for (const [at, word] of words.entries()) {
      if (word >= 2 ** (8 * width)) {
        throw new StateError(`memory.${number}.words.${at} 0x${word.toString(16)}: needs more than wordBytes ${width}`);
      }
      machine.store(part.at + at * width, width, word);
    }
  }
}

function fillTlb({ tlb, shape }: ToyMachine, state: ToyState): void {
  if (tlb === null || shape.paging === undefined) return;
  const { sets, ways } = tlb.shape;
  const pages = 2 ** shape.virtualBits / shape.paging.pageBytes;
  const frames = Math.ceil(shape.memoryBytes / shape.paging.pageBytes);
  for (const [number, entry] of (state.tlb?.entries ?? []).entries()) {
    const refuse = (field: string, value: number, fix: string): void => {
      throw new StateError(`tlb.entries.${number}.${field} 0x${value.toString(16)}: ${fix}`);
    };
    if ('set' in entry && entry.set >= sets) refuse('set', entry.set, `must be below ${sets}`);
    const page = 'page' in entry ? entry.page : entry.tag * sets + entry.set;
    const [field, value] = 'page' in entry ? ['page', entry.page] : ['tag', entry.tag];
    if (page >= pages) refuse(field, value, `the last page is 0x${(pages - 1).toString(16)}`);
    if (entry.frame >= frames) refuse('frame', entry.frame, `the last frame is 0x${(frames - 1).toString(16)}`);
    const set = tlb.sets[tlb.setOf(page)];
    if (set.some((other) => other.page === page)) refuse(field, value, 'the page is in the TLB already; leave one out');
    if (set.length === ways) refuse(field, value, `set ${tlb.setOf(page)} is full; give at most ${ways} a set`);
    const { writable, executable, user, frame } = entry;
    const rights = (writable ? TOY_WRITABLE : 0) | (executable ? TOY_EXECUTABLE : 0) | (user ? TOY_USER : 0) | DIRTY;
    tlb.fill({ page, frame, rights });
  }
}
