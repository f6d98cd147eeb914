/** States by pagewalk itself, such as the demonstrations: they need no check, and no validator is loaded for them. */

import type { MachineState, MachineStateInput } from './machine-state.js';
import { DEFAULTS, wordOf } from './state-form.js';

/** A state that pagewalk itself writes: addresses and values are texts. */
export interface OwnState extends Pick<MachineStateInput, 'schemaVersion' | 'registers' | 'segments' | 'accesses'> {
  readonly about: string;
  readonly memory: NonNullable<MachineStateInput['memory']>;
}

/** The fields, texts among them as words. */
function words(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' ? wordOf(value) : value,
    ]),
  );
}

/** The state with all its defaults, as `parseState` gives it. Nothing is checked. */
export function completeState(state: OwnState): MachineState {
  const { registers, segments, memory, accesses = [] } = state;
  return {
    ...DEFAULTS.state,
    ...state,
    registers: { ...DEFAULTS.registers, ...words(registers) },
    ...(segments !== undefined && {
      segments: { ...DEFAULTS.segments, ...words(segments), gdt: words(segments.gdt) },
    }),
    memory: memory.map((stored) => ({ ...DEFAULTS.stored, ...words(stored) })),
    accesses: accesses.map((accessed) => ({ ...DEFAULTS.accessed, ...accessed, at: wordOf(accessed.at) })),
  } as MachineState;
}
