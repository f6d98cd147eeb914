/** Hits and misses of a small TLB; how far a real one reaches. */

import { READ } from '../../hw/base/access.js';
import { highWord, lowWord, PAGE_BYTES, pageSizeName, SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import { PTE_P, PTE_RW } from '../../hw/x86/format.js';
import type { Random } from '../../hw/base/random.js';
import { CR0_PE, CR0_PG, CR4_PAE, EFER_LME } from '../../hw/x86/registers.js';
import { presetByName, presetNames } from '../../hw/tlb/presets.js';
import { describeTlb, entriesFor } from '../../hw/tlb/words.js';
import { X86_TERMS } from '../../hw/x86/terms.js';
import { buildMachine } from '../explain/machine.js';
import { parseState } from '../explain/machine-state.js';
import { hexOf } from '../explain/table-writer.js';
import { PageTableWriter } from '../explain/walk/page-tables.js';
import { STATE_VERSION } from '../explain/state-form.js';
import { countOf, formatBytes } from '../report/output/units.js';
import { between, pick } from './exercise.js';
import type { Difficulty, ExerciseKind, Posed } from './exercise.js';

/** Page numbers of the exercise: 0 to this, less one. */
const PAGES = 12;
const TOUCHES: Readonly<Record<Difficulty, number>> = { easy: 6, medium: 12, hard: 20 };
const SHAPES = ['4x1', '4x2', '4xfa', '8x2', '8x4'] as const;

/** A machine with one level of TLB, all pages mapped. */
function machineWith(tlb: string): ReturnType<typeof buildMachine>['mmu'] {
  const tables = new PageTableWriter('4l');
  for (let page = 0n; page < PAGES; page++) tables.map(page << 12n, 0x10_0000n + (page << 12n), PTE_P | PTE_RW);
  const registers = { cr0: (CR0_PE | CR0_PG) >>> 0, cr3: hexOf(tables.root), cr4: CR4_PAE, efer: EFER_LME };
  return buildMachine(parseState({ schemaVersion: STATE_VERSION, tlb, registers, memory: tables.memory })).mmu;
}

function hits(random: Random, difficulty: Difficulty): Posed {
  const shape = pick(random, SHAPES);
  const [entries, waysText] = shape.split('x');
  const ways = waysText === 'fa' ? Number(entries) : Number(waysText);
  const sets = Number(entries) / ways;
  // Few enough pages that some come back.
  const range = between(random, Number(entries) + 1, Math.min(PAGES, Number(entries) + 3));
  const sequence = Array.from({ length: TOUCHES[difficulty] }, () => random.below(range));
  const mmu = machineWith(shape);
  const reasoning = sequence.map((page, index) => {
    const before = mmu.counters.snapshot().data.l1Hits;
    const address = page * PAGE_BYTES;
    mmu.translate(highWord(address), lowWord(address), READ);
    const hit = mmu.counters.snapshot().data.l1Hits > before;
    return `${index + 1}. page ${page} belongs to set ${page % sets}: ${hit ? 'hit' : 'miss'}`;
  });
  const { l1Hits, walks } = mmu.counters.snapshot().data;
  return {
    question:
      `A TLB has ${entries} entries in ${countOf(sets, 'set')} of ${countOf(ways, 'way')}, set = page number mod ` +
      `${sets}, and replaces the entry of a set that was used longest ago. It is empty. A program touches the pages ` +
      'below, in this order. How many hits and how many walks are there?',
    given: [sequence.join(' ')],
    answer: `${countOf(l1Hits, 'hit')}, ${countOf(walks, 'walk')}`,
    parts: [
      { label: 'hits', value: String(l1Hits) },
      { label: 'walks', value: String(walks) },
    ],
    reasoning,
  };
}

/** @param difficulty easy: pages of 4 KiB */
function reach(random: Random, difficulty: Difficulty): Posed {
  const geometry = presetByName(pick(random, presetNames()));
  if (geometry === undefined) throw new Error('a preset without a shape');
  const shift = pick(random, difficulty === 'easy' ? [SHIFT_4K] : [SHIFT_4K, SHIFT_2M, SHIFT_1G]);
  const size = pageSizeName(shift);
  const entries = entriesFor(geometry, shift);
  return {
    question: `How far does the data TLB of ${geometry.name} reach with ${size} pages?`,
    given: [describeTlb(geometry, X86_TERMS)],
    answer: formatBytes(entries * 2 ** shift),
    parts: [{ label: 'reach', value: formatBytes(entries * 2 ** shift) }],
    reasoning: [`The level with most entries for ${size} pages has ${entries}; ${entries} x ${size} is the reach.`],
  };
}

export const TLB_KINDS: readonly ExerciseKind[] = [
  { topic: 'tlb', kind: 'hits', make: hits },
  { topic: 'tlb', kind: 'reach', make: reach },
];
