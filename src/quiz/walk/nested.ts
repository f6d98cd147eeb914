/** The walk of a guest by hand: how many entries are read, and where each of them lies. */

import { formatHex, fromBigInt, PAGE_BYTES } from '../../../hw/base/address.js';
import type { Random } from '../../../hw/base/random.js';
import { PTE_P, PTE_RW, PTE_US, X86_MODES } from '../../../hw/x86/format.js';
import { CR0_PE, CR0_PG, CR4_PAE, CR4_PSE, EFER_LME } from '../../../hw/x86/registers.js';
import { buildMachine } from '../../explain/machine.js';
import { parseState } from '../../explain/machine-state.js';
import { EptWriter } from '../../explain/nested/ept-tables.js';
import { nestedWalkText } from '../../explain/nested/nested-text.js';
import { readsIn } from '../../explain/nested/nested-walk.js';
import type { NestedWalkResult } from '../../explain/nested/nested-walk.js';
import { explainNestedWalk } from '../../explain/nested/x86-nested.js';
import { hexOf } from '../../explain/table-writer.js';
import { PageTableWriter } from '../../explain/walk/page-tables.js';
import { STATE_VERSION } from '../../explain/state-form.js';
import { between, pick } from '../exercise.js';
import type { Difficulty, ExerciseKind, Posed } from '../exercise.js';
import { memoryLines, walkLines } from './walk-parts.js';

const PAGE = BigInt(PAGE_BYTES);
const USER_PAGE = PTE_P | PTE_US | PTE_RW;
const GUESTS: Readonly<Record<Difficulty, readonly ('32' | '4l')[]>> = {
  easy: ['32'],
  medium: ['32', '4l'],
  hard: ['4l'],
};
/** Pages of guest-physical memory: one page table of the host has entries for all. */
const GUEST_PAGES = 512;

/** The host's tables, each page of the guest in a frame of its own choice; and those frames. */
function hostOf(random: Random, pages: readonly bigint[]): { host: EptWriter; frames: Map<bigint, bigint> } {
  const host = new EptWriter(BigInt(between(random, 1, 15)) * PAGE);
  const frames = new Map<bigint, bigint>();
  pages.forEach((page, n) => {
    // Far enough apart that no two are the same.
    const frame = BigInt(256 * (n + 1) + random.below(256)) * PAGE;
    frames.set(page, frame);
    host.map(page, frame);
  });
  return { host, frames };
}

/** Every read of the walk in order: its physical address. */
function readsOf({ rows }: NestedWalkResult): string[] {
  return rows.flatMap(readsIn).map(({ entryAddress }) => entryAddress ?? '');
}

function nested(random: Random, difficulty: Difficulty): Posed {
  const mode = pick(random, GUESTS[difficulty]);
  const address = BigInt(random.nextInt32() >>> 0);
  const guest = new PageTableWriter(mode, BigInt(between(random, 16, 200)) * PAGE);
  guest.map(address & ~(PAGE - 1n), BigInt(between(random, 256, GUEST_PAGES - 1)) * PAGE, USER_PAGE);
  const lastEntry = BigInt(guest.memory[guest.memory.length - 1].value);
  const pages = [...guest.memory.map(({ at }) => BigInt(at)), lastEntry].map((at) => at & ~(PAGE - 1n));
  const { host, frames } = hostOf(random, [...new Set(pages)]);
  const guestMemory = guest.memory.map(({ at, value, bytes = 8 }) => {
    const place = BigInt(at);
    const page = place & ~(PAGE - 1n);
    return { at: hexOf((frames.get(page) ?? 0n) + place - page), value, bytes };
  });
  const memory = [...host.memory, ...guestMemory];
  const { mmu } = buildMachine(
    parseState({
      schemaVersion: STATE_VERSION,
      tlb: 'none',
      registers: {
        cr0: formatHex(0, CR0_PE | CR0_PG),
        cr3: hexOf(guest.root),
        cr4: formatHex(0, mode === '32' ? CR4_PSE : CR4_PAE),
        efer: formatHex(0, mode === '32' ? 0 : EFER_LME),
      },
      host: { tables: 'ept', root: hexOf(host.root) },
      memory,
    }),
  );
  const result = explainNestedWalk(mmu, { ...fromBigInt(address), access: 'read', user: true });
  const reads = readsOf(result);
  const number = between(random, 5, difficulty === 'easy' ? 10 : reads.length);
  const physical = result.outcome.kind === 'mapped' ? result.outcome.physical : '';
  return {
    question:
      `A guest with ${X86_MODES[mode].title} runs under 4-level EPT, no TLB and no walk caches. The EPT begins at ` +
      `${hexOf(host.root)}, CR3 of the guest is ${hexOf(guest.root)}. A program of the guest reads ${hexOf(address)}. How many ` +
      `entries does the processor read for it, at which physical address is number ${number} of them, and which physical ` +
      `address does the program reach? Physical memory holds the following; what is not listed plays no part:`,
    given: memoryLines(memory),
    answer: `${reads.length} entries; number ${number} at ${reads[number - 1]}; ${physical}`,
    parts: [
      { label: 'entries read', value: String(reads.length) },
      { label: `physical address of number ${number}`, value: reads[number - 1] },
      { label: 'physical address of the byte', value: physical },
    ],
    reasoning: walkLines(nestedWalkText, result),
  };
}

export const NESTED_KINDS: readonly ExerciseKind[] = [
  { topic: 'machines', kind: 'nested', machine: 'x86', make: nested },
];
