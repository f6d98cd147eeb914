/** The machines to choose from: each has a state to begin with, and addresses to try. */

import { X86_MODES } from '../../../hw/x86/format.js';
import {
  AARCH64_GUEST_ADDRESSES,
  aarch64Addresses,
  aarch64GuestState,
  aarch64State,
  type Granule,
  GRANULES,
} from '../../../src/explain/aarch64/aarch64-demo.js';
import {
  DEMO_ADDRESSES,
  DEMO_MODES,
  type DemoMode,
  demoStateInput,
  LIBRARY,
} from '../../../src/explain/demo-states.js';
import { NESTED_ADDRESSES, nestedState } from '../../../src/explain/nested/nested-demo.js';
import {
  RISCV_GUEST_ADDRESSES,
  riscvGuestState,
  SV32_ADDRESSES,
  sv32State,
} from '../../../src/explain/riscv/riscv-demo.js';
import { XV6_ADDRESSES, XV6_STATE } from '../../../src/explain/riscv/xv6.js';
import { TOY_PRESETS } from '../../../src/explain/toy/toy-presets.js';
import type { Choice } from '../../form.js';
import type { Settings } from '../../story/view.js';
import { readStateText } from './state-text.js';

/** The machines by name, and what the menu says. */
export const MACHINE_CHOICES = [
  ['x86', 'x86'],
  ['riscv', 'RISC-V'],
  ['aarch64', 'AArch64'],
  ['nested', 'a guest, two stages'],
  ['toy', 'toy machine'],
] as const satisfies readonly Choice[];

/** Guests: the entries read for the first address, a demonstration, and addresses of it to try. */
const GUESTS = {
  x86: { words: 'x86 under EPT', reads: 24, state: nestedState, addresses: NESTED_ADDRESSES },
  riscv: { words: 'RISC-V, Sv39 over Sv39x4', reads: 15, state: riscvGuestState, addresses: RISCV_GUEST_ADDRESSES },
  aarch64: { words: 'AArch64 under stage 2', reads: 19, state: aarch64GuestState, addresses: AARCH64_GUEST_ADDRESSES },
} as const;
type Guest = keyof typeof GUESTS;

/** Programs of RISC-V. */
const PROGRAMS = {
  xv6: { words: "xv6's first process, Sv39", state: () => XV6_STATE, addresses: XV6_ADDRESSES },
  sv32: { words: 'a program of RV32, Sv32', state: sv32State, addresses: SV32_ADDRESSES },
} as const;
type Program = keyof typeof PROGRAMS;

/** Shapes to choose from: small ones, to be drawn whole, and real processors. */
const TLBS = [
  '8x2+32x4+psc',
  '16x4+64x8+psc',
  'skylake',
  'golden-cove',
  'zen4',
  'cortex-a76',
  'none',
] as const satisfies readonly string[];

/** Addresses of the toy machines, most with the answer of their book. */
const TOY_ADDRESSES: Readonly<Record<string, readonly (readonly [address: string, about: string])[]>> = {
  linear: [
    ['0x15', 'virtual 21 is physical 117'],
    ['0x3f', 'the last byte'],
  ],
  'multi-level': [
    ['0x3f80', 'the top of the stack'],
    ['0x0', 'code'],
    ['0x2000', 'an empty entry of the page directory'],
  ],
  segments: [
    ['0x1068', 'virtual 4200: the heap'],
    ['0x3c00', 'the stack, which grows down'],
    ['0x1c00', 'past the limit of the heap'],
  ],
  tlb: [
    ['0x64', 'a[0]: a miss'],
    ['0x68', 'a[1]: a hit'],
    ['0x6c', 'a[2]'],
    ['0x70', 'a[3]: the next page'],
  ],
  csapp: [
    ['0x3d4', 'a hit'],
    ['0x175', 'a miss'],
    ['0x2ea', 'a fault'],
  ],
  pencil: [
    ['0x07', 'a page of the program'],
    ['0xe3', 'another table'],
    ['0x20', 'an empty entry'],
  ],
  'two-level': [
    ['0x40', 'code'],
    ['0x400008', 'data'],
    ['0xfffffffc', 'the stack'],
    ['0x2000', 'an empty entry'],
  ],
};

const PRESETS = Object.keys(TOY_PRESETS) as [string, ...string[]];

/** The settings of the view; `state` is one's own machine, in place of all others. */
export const CHOICES = {
  machine: ['x86', 'riscv', 'aarch64', 'nested', 'toy'],
  mode: DEMO_MODES,
  tlb: TLBS,
  granule: GRANULES,
  guest: ['x86', 'riscv', 'aarch64'],
  program: ['xv6', 'sv32'],
  preset: ['multi-level', ...PRESETS.filter((name) => name !== 'multi-level')],
  state: null,
} as const satisfies Readonly<Record<string, readonly [string, ...string[]] | null>>;

/** The state of the chosen machine, as a file has it. @throws RangeError or StateError for a link's that is none */
export function stateOf({ machine, mode, tlb, granule, guest, program, preset, state }: Settings): unknown {
  if (state !== '') return readStateText(state);
  if (machine === 'riscv') return PROGRAMS[program as Program].state();
  if (machine === 'aarch64') return aarch64State(granule as Granule);
  if (machine === 'nested') return GUESTS[guest as Guest].state();
  if (machine === 'toy') return TOY_PRESETS[preset];
  return { ...demoStateInput(mode as DemoMode), tlb };
}

/** Addresses of the chosen machine to try, the first one to begin with. */
export function addressesOf({
  machine,
  mode,
  granule,
  guest,
  program,
  preset,
  state,
}: Settings): readonly (readonly [string, string])[] {
  if (state !== '') return ownAddresses(readStateText(state));
  if (machine === 'riscv') return PROGRAMS[program as Program].addresses;
  if (machine === 'aarch64') return aarch64Addresses(granule as Granule);
  if (machine === 'nested') return GUESTS[guest as Guest].addresses;
  if (machine === 'toy') return TOY_ADDRESSES[preset] ?? [];
  const own = DEMO_ADDRESSES.filter(({ modes }) => modes?.includes(mode as DemoMode) ?? true);
  const library = own.filter(({ address }) => address === LIBRARY[mode as DemoMode]);
  return [...library, ...own.filter((one) => !library.includes(one))].map(({ address, about }) => [address, about]);
}

/** Those that the state's own accesses have made; the lowest address where there are none. */
function ownAddresses(state: unknown): readonly (readonly [string, string])[] {
  const accesses: unknown = typeof state === 'object' && state !== null && 'accesses' in state ? state.accesses : [];
  const made = (Array.isArray(accesses) ? accesses : []) as readonly { readonly at?: unknown }[];
  const texts = made.map(({ at }) => (typeof at === 'number' ? `0x${at.toString(16)}` : String(at)));
  return texts.length === 0 ? [['0x0', 'the lowest address']] : texts.map((at) => [at, 'made before']);
}

/** The menus that a machine has besides the first one: its field, label, and choices. */
export function menusOf({
  machine,
  state,
}: Settings): readonly (readonly [
  field: 'mode' | 'tlb' | 'granule' | 'guest' | 'program' | 'preset',
  label: string,
  choices: readonly Choice[],
])[] {
  if (state !== '') return [];
  switch (machine) {
    case 'x86':
      return [
        ['mode', 'Paging', DEMO_MODES.map((name) => [name, X86_MODES[name].title] as const)],
        ['tlb', 'TLB', TLBS],
      ];
    case 'aarch64':
      return [['granule', 'Granule', GRANULES.map((name) => [name, `${parseInt(name)} KiB`] as const)]];
    case 'riscv':
      return [['program', 'Program', CHOICES.program.map((name) => [name, PROGRAMS[name].words] as const)]];
    case 'nested':
      return [['guest', 'Guest', CHOICES.guest.map((name) => [name, GUESTS[name].words] as const)]];
    case 'toy':
      return [['preset', 'Preset', CHOICES.preset]];
    default:
      return [];
  }
}

/** What the tour of a machine shows, in a sentence. */
export function tourOf({ machine, state, guest, program, preset }: Settings): string {
  if (state !== '') return '';
  switch (machine) {
    case 'riscv':
      return program === 'xv6'
        ? "xv6's first process in Sv39: three tables, a guard page, the trapframe and the trampoline."
        : 'Two tables of RV32, entries of 4 bytes, and a megapage.';
    case 'aarch64':
      return 'Two halves of the addresses, each with its own tables; a block; a page that hardware marks dirty.';
    case 'nested':
      return `A guest's walk through the tables of its host: every address of the guest is walked itself, ${GUESTS[guest as Guest].reads} entries in all.`;
    case 'toy':
      return `${TOY_PRESETS[preset].about ?? ''}.`;
    default:
      return 'How a virtual address becomes a place in memory: the TLB, four tables, faults, and an entry gone stale.';
  }
}
