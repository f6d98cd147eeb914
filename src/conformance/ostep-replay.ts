/** Replays a recorded line of an OSTEP simulator; each answer in the recording's own form. */

import { ToyMachine } from '../../hw/toy/machine.js';
import type { ToyShape } from '../../hw/toy/shape.js';
import { nextUse, replacePages } from '../replacement/replacement.js';
import type { HoleOrder } from '../segments/arena/arena.js';
import { FreeList } from '../segments/arena/free-list.js';
import type { OstepCase, OstepCaseOf } from './ostep-case.js';

/** The first answer at odds with the recorded one, both as JSON. */
export interface OstepDifference {
  /** Such as `accesses.3`. */
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** The first difference between the recorded answers and the model's. */
export function replayOstep(value: OstepCase): OstepDifference | undefined {
  switch (value.fam) {
    case 'linear':
      return compareAll('accesses', value.accesses, linear(value));
    case 'multilevel':
      return compareAll('accesses', value.accesses, multilevel(value));
    case 'segments':
      return compareAll('accesses', value.accesses, segments(value));
    case 'base-bounds':
      return compareAll('accesses', value.accesses, baseBounds(value));
    case 'replacement':
      return replacement(value);
    case 'allocation':
      return compareAll(
        'ops',
        value.ops.map((op) => corrected(op, value)),
        allocation(value),
      );
  }
}

function compareAll(
  field: string,
  expected: readonly unknown[],
  answers: readonly unknown[],
  same: (at: number) => boolean = () => false,
): OstepDifference | undefined {
  for (const [at, answer] of answers.entries()) {
    const [left, right] = [JSON.stringify(expected[at]), JSON.stringify(answer)];
    if (left !== right && !same(at)) return { field: `${field}.${at}`, expected: left, got: right };
  }
  return undefined;
}

type Pair = readonly [virtual: number, physical: number | null];

function translateAll(machine: ToyMachine, accesses: readonly Pair[]): Pair[] {
  return accesses.map(([virtual]) => {
    const physical = virtual < 2 ** machine.shape.virtualBits ? machine.translate(virtual) : -1;
    return [virtual, physical < 0 ? null : physical];
  });
}

/** The simulator keeps the table outside of memory; here it lies behind the last frame. */
function linear({ pageBytes, spaceBytes, physBytes, table, accesses }: OstepCaseOf<'linear'>): Pair[] {
  const virtualBits = Math.log2(spaceBytes);
  const memoryBytes = physBytes + 4 * table.length;
  const machine = new ToyMachine({
    virtualBits,
    physicalBits: bitsFor(memoryBytes),
    memoryBytes,
    paging: {
      pageBytes,
      root: physBytes,
      levels: [virtualBits - Math.log2(pageBytes)],
      entry: { bytes: 4, valid: 31, frame: [30, 0] },
    },
  });
  for (const [page, entry] of table.entries()) machine.store(physBytes + 4 * page, 4, entry);
  return translateAll(machine, accesses);
}

function bitsFor(bytes: number): number {
  return Math.max(4, Math.ceil(Math.log2(bytes)));
}

function multilevel(value: OstepCaseOf<'multilevel'>): unknown[] {
  const { pageBytes, vaBits, paBits, root, pages, accesses } = value;
  const half = (vaBits - Math.log2(pageBytes)) / 2;
  const machine = new ToyMachine({
    virtualBits: vaBits,
    physicalBits: paBits,
    memoryBytes: 2 ** paBits,
    paging: {
      pageBytes,
      root: root * pageBytes,
      levels: [half, half],
      entry: { bytes: 1, valid: 7, frame: [6, 0] },
    },
  });
  for (const [at, byte] of Buffer.from(pages.join(''), 'hex').entries()) machine.store(at, 1, byte);
  return translateAll(
    machine,
    accesses.map(([virtual]): Pair => [virtual, null]),
  ).map(([virtual, physical], at) => {
    if (physical !== null) return [virtual, physical, machine.byteAt(physical)];
    machine.translate(accesses[at][0]);
    return [virtual, null, machine.fault.level === 0 ? 'table' : 'directory'];
  });
}

function segmented(shape: Omit<ToyShape, 'physicalBits'>, accesses: readonly Pair[]): Pair[] {
  return translateAll(new ToyMachine({ ...shape, physicalBits: bitsFor(shape.memoryBytes) }), accesses);
}

function segments({ spaceBytes, physBytes, up, down, accesses }: OstepCaseOf<'segments'>): Pair[] {
  const registers = [{ ...up, grows: 'up' } as const, { ...down, grows: 'down' } as const];
  const segmentation = { bits: 1, registers };
  return segmented({ virtualBits: Math.log2(spaceBytes), memoryBytes: physBytes, segmentation }, accesses);
}

/** Memory has room for the segment; the recording does not say how large it is. */
function baseBounds({ base, limit, accesses }: OstepCaseOf<'base-bounds'>): Pair[] {
  const segmentation = { bits: 0, registers: [{ base, limit, grows: 'up' } as const] };
  return segmented({ virtualBits: 32, memoryBytes: Math.max(16, base + limit), segmentation }, accesses);
}

const POLICIES = { FIFO: 'fifo', LRU: 'lru', OPT: 'optimal' } as const;

/** Of several pages never used again OPT may replace any. */
function replacement({ policy, frames, steps }: OstepCaseOf<'replacement'>): OstepDifference | undefined {
  const references = steps.map(([page]) => page);
  const answers = replacePages(references, { policy: POLICIES[policy], frames });
  const unused = (page: number | null, at: number): boolean =>
    page !== null && nextUse(references, page, at) === Infinity;
  return compareAll(
    'steps',
    steps,
    answers.map(({ page, hit, replaced }) => [page, hit, replaced]),
    (at) => {
      const { hit, replaced } = answers[at];
      const [, expectedHit, expected] = steps[at];
      return policy === 'OPT' && hit === expectedHit && unused(expected, at) && unused(replaced, at);
    },
  );
}

const FITS = { FIRST: 'first', BEST: 'best', WORST: 'worst' } as const;
const ORDERS: Readonly<Record<OstepCaseOf<'allocation'>['order'], HoleOrder>> = {
  ADDRSORT: 'address',
  'SIZESORT+': 'smallest',
  'SIZESORT-': 'largest',
  'INSERT-FRONT': 'front',
  'INSERT-BACK': 'back',
};

type HeapOperation = OstepCaseOf<'allocation'>['ops'][number];

/**
 * The operation with -1 for a request without a hole. malloc.py prints its address as -1 plus the header; no block can
 * lie there, as its own header would begin at -1.
 */
export function corrected(op: HeapOperation, { header }: OstepCaseOf<'allocation'>): HeapOperation {
  return op.op === 'alloc' && header > 0 && op.at === header - 1 ? { ...op, at: -1 } : op;
}

function allocation(value: OstepCaseOf<'allocation'>): unknown[] {
  const { policy, order, coalesce, size: bytes, base, header, align, ops } = value;
  const rules = { base, bytes, fit: FITS[policy], order: ORDERS[order], coalesce, header, align: Math.max(1, align) };
  const heap = new FreeList(rules);
  const given = new Map<number, number>();
  return ops.map((op) => {
    if (op.op === 'free') {
      heap.free(given.get(op.ptr) ?? -1);
      return { op: 'free', ptr: op.ptr, holes: holesOf(heap) };
    }
    const { at } = heap.allocate(op.size);
    given.set(op.ptr, at);
    return { op: 'alloc', ptr: op.ptr, size: op.size, at, holes: holesOf(heap) };
  });
}

function holesOf({ holes }: FreeList): [number, number][] {
  return holes.map(({ base, bytes }) => [base, bytes]);
}
