/** Any machine in a state, to be walked step by step: what the page needs of it, behind one face. */

import { toNumber } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';
import type { ToyMachine } from '../../../hw/toy/machine.js';
import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import { buildPe, parseAArch64State } from '../../../src/explain/aarch64/aarch64-state.js';
import { aarch64NestedTerms, aarch64Terms } from '../../../src/explain/aarch64/walk.js';
import { buildMachine } from '../../../src/explain/machine.js';
import { parseState } from '../../../src/explain/machine-state.js';
import type { MachineState } from '../../../src/explain/machine-state.js';
import { explainStages } from '../../../src/explain/nested/nested-walk.js';
import type { NestedTerms, NestedWalkResult } from '../../../src/explain/nested/nested-walk.js';
import { explainNestedSteps } from '../../../src/explain/nested/x86-nested.js';
import type { RadixWalkResult } from '../../../src/explain/radix/radix-result.js';
import { explainRadixSteps } from '../../../src/explain/radix/radix-walk.js';
import type { RadixTerms } from '../../../src/explain/radix/radix-walk.js';
import { buildHart, parseRiscvState } from '../../../src/explain/riscv/riscv-state.js';
import { riscvNestedTerms, riscvTerms } from '../../../src/explain/riscv/walk.js';
import type { StepKind } from '../../../src/explain/step-why.js';
import { machineIn, type WalkMachineName } from '../../../src/explain/state-form.js';
import { buildToy, parseToyState } from '../../../src/explain/toy/toy-state.js';
import { explainToyWalk } from '../../../src/explain/toy/toy-walk.js';
import type { ToyWalkResult } from '../../../src/explain/toy/toy-walk.js';
import { allowedBy, allowedWords } from '../../../src/explain/walk/rights.js';
import type { WalkRequest } from '../../../src/explain/walk/walk.js';
import { drawToyTlb, toyRights } from './toy-tlb.js';
import { drawTlbs, type RightsWords, type TlbDrawing } from './tlb-drawing.js';

/** The result of the terminal, of a machine other than a plain x86. */
export type OtherResult = RadixWalkResult | ToyWalkResult | NestedWalkResult;

/** A step by its kind, and in words. */
export interface SaidStep {
  readonly kind: StepKind;
  readonly text: string;
}

export interface Walkable {
  readonly about: string;
  readonly rights: RightsWords;
  /** The instructions that drop a page and everything from TLBs, or words for them; null where there is none. */
  readonly fences: readonly [page: string, everything: string] | null;
  /** Makes the access. @throws RangeError for an address that the machine does not have */
  explain(request: WalkRequest): { result: OtherResult; steps: readonly SaidStep[] };
  tlbs(request: WalkRequest): TlbDrawing[];
  dropPage(request: WalkRequest): void;
  dropAll(): void;
  /** The memory of the machine: entries are changed there. */
  readonly ram: Ram;
  /** Present for a toy: it is small enough to be shown whole. */
  readonly toy?: ToyMachine;
}

/** The fences of an architecture, and its terms. */
interface Architecture {
  readonly about: string;
  readonly terms: (request: WalkRequest) => RadixTerms;
  /** Of a guest: those for both stages. */
  readonly nested?: (request: WalkRequest) => NestedTerms;
  readonly fences: readonly [page: string, everything: string];
  readonly dropPage: (request: WalkRequest) => void;
  readonly dropAll: () => void;
}

function radix(machine: TranslatingMachine, { terms, nested, ...rest }: Architecture): Walkable {
  return {
    ...rest,
    rights: terms({ hi: 0, lo: 0, access: 'read', user: true }).rights,
    explain: (request) =>
      nested === undefined
        ? explainRadixSteps(machine, terms(request), request)
        : explainStages(machine, nested(request), request),
    tlbs: (request) => drawTlbs(machine, request),
    ram: machine.ram,
  };
}

function riscv(value: unknown): Walkable {
  const state = parseRiscvState(value);
  const hart = buildHart(state);
  return radix(hart, {
    about: state.about ?? '',
    terms: () => riscvTerms(hart),
    ...(hart.rules.virtual && { nested: (request: WalkRequest) => riscvNestedTerms(hart, request) }),
    fences: ['SFENCE.VMA address', 'SFENCE.VMA'],
    dropPage: (request) => {
      hart.sfenceVma(request);
    },
    dropAll: () => {
      hart.sfenceVma();
    },
  });
}

function aarch64(value: unknown): Walkable {
  const state = parseAArch64State(value);
  const pe = buildPe(state);
  return radix(pe, {
    about: state.about ?? '',
    terms: (request) => aarch64Terms(pe, request),
    ...(pe.rules.secondOn && { nested: (request: WalkRequest) => aarch64NestedTerms(pe, request) }),
    fences: ['TLBI VAAE1', 'TLBI VMALLE1'],
    dropPage: (request) => {
      pe.tlbi('VAAE1', request);
    },
    dropAll: () => {
      pe.tlbi('VMALLE1');
    },
  });
}

function guest(state: MachineState): Walkable {
  const { mmu } = buildMachine(state);
  return {
    about: state.about ?? '',
    rights: (rights) => allowedWords(allowedBy(rights)),
    fences: ['INVLPG', 'MOV CR3'],
    explain: (request) => explainNestedSteps(mmu, request),
    tlbs: (request) => drawTlbs(mmu, request),
    dropPage: ({ hi, lo }) => {
      mmu.invlpg(hi, lo);
    },
    dropAll: () => {
      mmu.writeCr3(mmu.cr3Hi, mmu.cr3Lo);
    },
    ram: mmu.ram,
  };
}

function toy(value: unknown): Walkable {
  const state = parseToyState(value);
  const machine = buildToy(state);
  const { virtualBits } = machine.shape;
  return {
    about: state.about,
    rights: toyRights(machine),
    fences: machine.tlb === null ? null : ['page drop', 'TLB flush'],
    explain: (request) => {
      const address = toNumber(request.hi, request.lo);
      const most = 2 ** virtualBits - 1;
      if (address > most) {
        throw new RangeError(`addresses of this machine have ${virtualBits} bits; give at most 0x${most.toString(16)}`);
      }
      const { access, user } = request;
      return explainToyWalk(machine, state.about, { address, access, user });
    },
    tlbs: (request) => drawToyTlb(machine, toNumber(request.hi, request.lo)),
    dropPage: (request) => {
      machine.invalidatePage(toNumber(request.hi, request.lo));
    },
    dropAll: () => {
      machine.flush();
    },
    ram: machine.ram,
    toy: machine,
  };
}

/** The machine named by a state; a guest, if it has a host. */
export function machineKindOf(state: unknown): WalkMachineName | 'nested' {
  const machine = machineIn(state);
  const isGuest = typeof state === 'object' && state !== null && 'host' in state;
  return machine === 'x86' && isGuest ? 'nested' : machine;
}

/**
 * Builds the machine of a state; a plain x86 is TranslateMachine's.
 * @throws StateError with the field, its value and the fix
 */
export function openWalkable(state: unknown): Walkable {
  switch (machineKindOf(state)) {
    case 'riscv':
      return riscv(state);
    case 'aarch64':
      return aarch64(state);
    case 'toy':
      return toy(state);
    default:
      return guest(parseState(state));
  }
}
