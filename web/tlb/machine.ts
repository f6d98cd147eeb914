/** A processor with one TLB and pages to touch: each touch is a real access, and the arrays are the hardware's own. */

import { accessBits } from '../../src/explain/state-form.js';
import { buildMachine } from '../../src/explain/machine.js';
import { demoStateInput } from '../../src/explain/demo-states.js';
import { completeState } from '../../src/explain/own-state.js';
import { hexOf } from '../../src/explain/table-writer.js';
import { PageTableWriter } from '../../src/explain/walk/page-tables.js';
import type { WalkStep } from '../../src/explain/walk/walk-result.js';
import { explainSteps } from '../../src/explain/walk/walk.js';
import { PTE_P, PTE_RW, PTE_US } from '../../hw/x86/format.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import type { Machine } from '../story/history.js';
import { drawTlbs, type TlbDrawing } from '../translate/machines/tlb-drawing.js';
import { MOST_PAGE } from './programs.js';

const PAGE_SHIFT = 12;
const FIRST_FRAME = 0x100;

/** Pages 0 to {@link MOST_PAGE} at addresses from 0 up, in frames from {@link FIRST_FRAME} up. */
function processor(tlb: string): Mmu {
  const tables = new PageTableWriter('4l');
  for (let page = 0; page <= MOST_PAGE; page++) {
    tables.map(BigInt(page) << 12n, BigInt(FIRST_FRAME + page) << 12n, PTE_P | PTE_RW | PTE_US);
  }
  const { registers, ...rest } = demoStateInput('4l');
  const input = { ...rest, registers: { ...registers, cr3: hexOf(tables.root) }, memory: tables.memory, accesses: [] };
  return buildMachine({ ...completeState(input), tlb }).mmu;
}

/** A touch of a page, and how it went. */
interface Touch {
  readonly page: number;
  readonly hit: boolean;
}

/** The touch made last, with the arrays before and after it. */
interface LastTouch extends Touch {
  readonly before: TlbDrawing;
  readonly after: TlbDrawing;
  readonly steps: readonly WalkStep[];
}

export class TlbMachine implements Machine {
  readonly touches: Touch[] = [];
  last: LastTouch | null = null;
  readonly #mmu: Mmu;

  /** @param shape of the TLB, as `--tlb` reads it; one level. @throws StateError for another */
  constructor(shape: string) {
    this.#mmu = processor(shape);
  }

  /** The array as it stands. */
  get array(): TlbDrawing {
    return this.last?.after ?? drawTlbs(this.#mmu, requestFor(0))[0];
  }

  /** `page.5` touches page 5. */
  act(words: string): number {
    const page = Number(/^page\.(\d{1,2})$/.exec(words)?.[1] ?? NaN);
    if (!(page <= MOST_PAGE)) {
      throw new RangeError(`'${words}' is nothing that can happen here; pages go from 0 to ${MOST_PAGE}`);
    }
    const request = requestFor(page);
    const [before] = drawTlbs(this.#mmu, request);
    const { result, steps } = explainSteps(this.#mmu, request);
    const [after] = drawTlbs(this.#mmu, request);
    const hit = result.tlb.answer.endsWith('hit');
    this.touches.push({ page, hit });
    this.last = { page, hit, before, after, steps };
    return 1;
  }
}

function requestFor(page: number): Parameters<typeof explainSteps>[1] {
  return { hi: 0, lo: page << PAGE_SHIFT, access: 'read', user: true };
}

/** Misses of a list of pages on a TLB of its own. */
export function missesOf(pages: readonly number[], shape: string): number {
  const mmu = processor(shape);
  for (const page of pages) mmu.translate(0, page << PAGE_SHIFT, accessBits('read', true));
  return mmu.counters.snapshot().data.walks;
}
