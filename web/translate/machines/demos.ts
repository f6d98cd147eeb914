/** The machines to choose from: each has a state to begin with, and addresses to try. */

import { X86_MODES } from '../../../hw/x86/format.js';
import { aarch64Addresses, aarch64State, type Granule, GRANULES } from '../../../src/explain/aarch64/aarch64-demo.js';
import {
  DEMO_ADDRESSES,
  DEMO_MODES,
  type DemoMode,
  demoStateInput,
  LIBRARY,
} from '../../../src/explain/demo-states.js';
import { NESTED_ADDRESSES, nestedState } from '../../../src/explain/nested/nested-demo.js';
import { XV6_ADDRESSES, XV6_STATE } from '../../../src/explain/riscv/xv6.js';
import { TOY_PRESETS } from '../../../src/explain/toy/toy-presets.js';
import type { Choice } from '../../form.js';
import type { Settings } from '../../story/view.js';
import { readStateText } from './state-text.js';

/** The machines by name, and what the menu says. */
export const MACHINE_CHOICES = [
  ['x86', 'x86'],
  ['riscv', 'RISC-V (xv6)'],
  ['aarch64', 'AArch64'],
  ['nested', 'x86 guest (EPT)'],
  ['toy', 'toy machine'],
] as const satisfies readonly Choice[];

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
  preset: ['multi-level', ...PRESETS.filter((name) => name !== 'multi-level')],
  state: null,
} as const satisfies Readonly<Record<string, readonly [string, ...string[]] | null>>;

/** The state of the chosen machine, as a file has it. @throws RangeError or StateError for a link's that is none */
export function stateOf({ machine, mode, tlb, granule, preset, state }: Settings): unknown {
  if (state !== '') return readStateText(state);
  if (machine === 'riscv') return XV6_STATE;
  if (machine === 'aarch64') return aarch64State(granule as Granule);
  if (machine === 'nested') return nestedState();
  if (machine === 'toy') return TOY_PRESETS[preset];
  return { ...demoStateInput(mode as DemoMode), tlb };
}

/** Addresses of the chosen machine to try, the first one to begin with. */
export function addressesOf({
  machine,
  mode,
  granule,
  preset,
  state,
}: Settings): readonly (readonly [string, string])[] {
  if (state !== '') return ownAddresses(readStateText(state));
  if (machine === 'riscv') return XV6_ADDRESSES;
  if (machine === 'aarch64') return aarch64Addresses(granule as Granule);
  if (machine === 'nested') return NESTED_ADDRESSES;
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
  field: 'mode' | 'tlb' | 'granule' | 'preset',
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
    case 'toy':
      return [['preset', 'Preset', CHOICES.preset]];
    default:
      return [];
  }
}

/** What the tour of a machine shows, in a sentence. */
export function tourOf({ machine, state, preset }: Settings): string {
  if (state !== '') return '';
  switch (machine) {
    case 'riscv':
      return "xv6's first process in Sv39: three tables, a guard page, the trapframe and the trampoline.";
    case 'aarch64':
      return 'Two halves of the addresses, each with its own tables; a block; a page that hardware marks dirty.';
    case 'nested':
      return "A guest's walk through the tables of its host: every address of the guest is walked itself, 24 entries in all.";
    case 'toy':
      return `${TOY_PRESETS[preset].about ?? ''}.`;
    default:
      return 'How a virtual address becomes a place in memory: the TLB, four tables, faults, and an entry gone stale.';
  }
}
