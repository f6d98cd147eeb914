/**
 * A machine's state as JSON: registers, memory and the accesses made before. The built-in demonstrations are such
 * states, too, and so are those of a user.
 */

import { z } from 'zod';
import type { Word64 } from '../../hw/base/address.js';
import { shortened } from '../report/output/printable.js';
import { checked, type Flaw } from '../report/output/schema-words.js';
import { STATE_ACCESSES, DEFAULTS, STATE_VERSION, StateError, wordOf } from './state-form.js';

/** Text is hexadecimal, with or without 0x; a number has the value written in JSON. */
export const hexValue = z.union([z.string(), z.int().nonnegative()]).transform((given, context): Word64 => {
  const word = wordOf(given);
  if (word !== undefined) return word;
  context.addIssue({
    code: 'custom',
    message: `expected a hexadecimal number of at most 64 bits, such as "0x1000", found '${shortened(String(given))}'`,
  });
  return z.NEVER;
});

/** A register with 32 bits in use. */
const narrow = hexValue.refine(({ hi }) => hi === 0, { message: 'bits 63:32 are reserved here and must be 0' });

/** A store of a state. */
const StoredWord = z
  .strictObject({
    at: hexValue.describe('physical address'),
    value: hexValue,
    bytes: z.union([z.literal(4), z.literal(8)], { message: 'must be 4 or 8' }).default(DEFAULTS.stored.bytes),
  })
  .refine(({ value, bytes }) => bytes === 8 || value.hi === 0, {
    path: ['value'],
    message: 'does not fit into 4 bytes; set "bytes" to 8',
  });

export const AccessKind = z.enum(STATE_ACCESSES);

/** An access of a state. */
const Accessed = z.strictObject({
  at: hexValue.describe('linear address'),
  access: AccessKind.default(DEFAULTS.accessed.access),
  user: z.boolean().default(DEFAULTS.accessed.user),
});

/** Bytes of RAM, in whole pages. */
export function ramBytesUpTo(most: number, usual: number): z.ZodDefault<z.ZodInt> {
  return z.int().min(4096).max(most).multipleOf(4096).default(usual);
}

/** Fields of the state of every machine but the toy. */
export const StateFields = {
  schemaVersion: z.literal(STATE_VERSION),
  about: z.string().optional(),
  tlb: z.string().default(DEFAULTS.state.tlb).describe('a preset or a shape, as --tlb takes it'),
  memory: z.array(StoredWord).default([]),
  accesses: z.array(Accessed).default([]).describe('made in this order, to fill TLBs and caches'),
};

const Registers = z.strictObject({
  cr0: narrow,
  cr3: hexValue.default(DEFAULTS.registers.cr3),
  cr4: narrow.default(DEFAULTS.registers.cr4),
  efer: narrow.default(DEFAULTS.registers.efer),
  pkru: narrow.default(DEFAULTS.registers.pkru),
  pkrs: narrow.default(DEFAULTS.registers.pkrs),
  ac: z.boolean().default(DEFAULTS.registers.ac).describe('RFLAGS.AC'),
});

const Segments = z.strictObject({
  cpl: z.int().min(0).max(3).default(DEFAULTS.segments.cpl),
  gdt: z.strictObject({ base: hexValue, limit: z.int().min(0).max(0xffff) }),
  ldt: narrow.optional().describe('selector of the LDT, as LLDT takes it'),
  task: narrow.optional().describe('selector of the TSS, as LTR takes it'),
  code: narrow.optional().describe('selector in CS, which CALL pushes; the segment itself is flat'),
  stack: narrow.optional().describe('selector in SS, likewise'),
  instructionPointer: hexValue.default(DEFAULTS.segments.instructionPointer).describe('RIP: where a call returns to'),
  stackPointer: hexValue.default(DEFAULTS.segments.stackPointer).describe('RSP'),
  code64: z
    .boolean()
    .default(DEFAULTS.segments.code64)
    .describe('in IA-32e mode: the running code segment is a 64-bit one'),
});

const Host = z
  .strictObject({
    tables: z.enum(['ept', 'npt'], { message: 'must be ept or npt' }),
    root: hexValue.describe('physical address of the root'),
    levels: z.union([z.literal(4), z.literal(5)], { message: 'must be 4 or 5' }).default(4),
    accessedDirty: z.boolean().default(false).describe('EPT: accessed and dirty flags'),
    modeBasedExecute: z.boolean().default(false).describe('EPT: mode-based execute control'),
    noExecute: z.boolean().default(true).describe("NPT: the host's EFER.NXE"),
  })
  .describe('tables of a host: the registers are then those of its guest');

/** A machine as `pagewalk walk --state` reads it: registers, RAM, a TLB. */
export const MachineState = z.strictObject({
  schemaVersion: StateFields.schemaVersion,
  machine: z.literal('x86').optional(),
  about: StateFields.about,
  ramBytes: ramBytesUpTo(2 ** 34, DEFAULTS.state.ramBytes),
  maxPhysicalBits: z.int().min(36).max(52).default(DEFAULTS.state.maxPhysicalBits),
  tlb: StateFields.tlb,
  registers: Registers,
  host: Host.optional(),
  segments: Segments.optional(),
  memory: StateFields.memory,
  accesses: StateFields.accesses,
});

/** A machine as `pagewalk walk --state` reads it: registers, RAM, a TLB. */
export type MachineState = z.infer<typeof MachineState>;
/** A state as it is written, defaults left out. */
export type MachineStateInput = z.input<typeof MachineState>;
/** `read`, `write` or `fetch`. */
export type AccessKind = z.infer<typeof AccessKind>;

function explainFlaw({ path, unknown, problem }: Flaw, sample: string): string {
  const field = path.map(String).join('.');
  if (field === 'schemaVersion') return `schemaVersion: must be ${STATE_VERSION}`;
  if (field === '') return unknown === true ? problem : `expected an object such as ${sample}`;
  return `${field}: ${problem}`;
}

/**
 * Checks the content of a file against the schema of a machine and fills in the defaults.
 * @param sample such a file, for errors
 * @throws StateError
 */
export function checkState<T>(schema: z.ZodType<T>, value: unknown, sample: string): T {
  const state = checked(schema, value, 'there is no field');
  if ('flaw' in state) throw new StateError(explainFlaw(state.flaw, sample));
  return state.value;
}

/**
 * Checks the content of a file and fills in the defaults.
 * @throws StateError
 */
export function parseState(value: unknown): MachineState {
  return checkState(MachineState, value, '{"schemaVersion": 1, "registers": {…}, "memory": […]}');
}
