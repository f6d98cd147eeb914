import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DS, SS } from '../../../hw/x86/segmentation/register.js';
import { ENOMEM } from '../../../src/kernel/abi/errno.js';
import type { Fit } from '../../../src/segments/arena/arena.js';
import type { SegmentKernel } from '../../../src/segments/kernel.js';
import type { SegmentProcess } from '../../../src/segments/process.js';
import { boot, KIB, peek } from './machine.js';
import { runs } from '../../runs.js';

/** What a segment must hold: the bytes themselves; those who share it share the array. */
interface Oracle {
  bytes: Uint8Array;
  shared: boolean;
}

class Model {
  readonly processes: { process: SegmentProcess; segments: Map<number, Oracle> }[] = [];

  constructor(readonly kernel: SegmentKernel) {}

  pick(n: number): Model['processes'][number] | undefined {
    return this.processes[n % Math.max(1, this.processes.length)];
  }

  pickSegment(n: number, m: number): [Model['processes'][number], number, Oracle] | undefined {
    const of = this.pick(n);
    if (of === undefined || of.segments.size === 0) return undefined;
    const [selector, oracle] = [...of.segments][m % of.segments.size];
    return [of, selector, oracle];
  }

  /** Every byte of every segment, in memory or swapped out. */
  checkContents(): void {
    const { ram } = this.kernel.memory;
    for (const { process, segments } of this.processes) {
      for (const [selector, { bytes }] of segments) {
        const { segment } = process.entry(selector)!;
        const [words, at] = segment.swapped === null ? [ram.words, segment.base] : [segment.swapped, 0];
        const found = new Uint8Array(words.buffer, words.byteOffset + at, segment.bytes);
        expect(Buffer.compare(found, bytes)).toBe(0);
      }
    }
  }

  /** A few bytes of every segment as the process sees them; one that finds no room to come back stays out. */
  checkAccess(): void {
    for (const { process, segments } of this.processes) {
      for (const [selector, { bytes }] of segments) {
        for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
          expect([ENOMEM, bytes[at]]).toContain(peek(this.kernel, process, selector, at));
        }
        expect(peek(this.kernel, process, selector, bytes.length)).toBeLessThan(0);
      }
    }
  }
}

type Operation = (model: Model, a: number, b: number, c: number) => void;

const OPERATIONS: Record<string, Operation> = {
  spawn(model) {
    const process = model.kernel.spawn();
    if (typeof process !== 'number') model.processes.push({ process, segments: new Map() });
  },
  create(model, a, _, c) {
    const of = model.pick(a);
    if (of === undefined) return;
    const selector = model.kernel.create(of.process, { kind: 'data', bytes: 1 + (c % 9000) });
    if (selector >= 0) of.segments.set(selector, { bytes: new Uint8Array(1 + (c % 9000)), shared: false });
  },
  store(model, a, b, c) {
    const picked = model.pickSegment(a, b);
    if (picked === undefined) return;
    const [{ process }, selector, { bytes }] = picked;
    const at = c % bytes.length;
    const register = c % 5 === 0 ? SS : DS;
    if (model.kernel.store(process, selector, at, 1, c & 0xff, register) === 0) bytes[at] = c & 0xff;
  },
  fork(model, a) {
    const of = model.pick(a);
    if (of === undefined || model.processes.length > 6) return;
    const child = model.kernel.fork(of.process);
    if (typeof child === 'number') return;
    const copies = [...of.segments].map(([selector, oracle]): [number, Oracle] => {
      return [selector, oracle.shared ? oracle : { bytes: oracle.bytes.slice(), shared: false }];
    });
    model.processes.push({ process: child, segments: new Map(copies) });
  },
  share(model, a, b, c) {
    const picked = model.pickSegment(a, b);
    const other = model.pick(c);
    if (picked === undefined || other === undefined) return;
    const [{ process }, selector, oracle] = picked;
    const theirs = model.kernel.share(process, selector, other.process);
    if (theirs < 0) return;
    oracle.shared = true;
    other.segments.set(theirs, oracle);
  },
  publish(model, a, b) {
    const picked = model.pickSegment(a, b);
    if (picked === undefined) return;
    const [{ process, segments }, selector, oracle] = picked;
    const master = model.kernel.publish(process, selector);
    if (master < 0) return;
    segments.delete(selector);
    oracle.shared = true;
    segments.set(master, oracle);
  },
  unshare(model, a, b) {
    const picked = model.pickSegment(a, b);
    if (picked === undefined) return;
    const [{ process, segments }, selector, oracle] = picked;
    if (model.kernel.unshare(process, selector) === 0) {
      segments.set(selector, { bytes: oracle.bytes.slice(), shared: false });
    }
  },
  grow(model, a, b, c) {
    const picked = model.pickSegment(a, b);
    if (picked === undefined) return;
    const [{ process }, selector, oracle] = picked;
    const bytes = 1 + (c % 9000);
    if (model.kernel.grow(process, selector, bytes) < 0) return;
    const grown = new Uint8Array(bytes);
    grown.set(oracle.bytes.subarray(0, bytes));
    oracle.bytes = grown;
  },
  remove(model, a, b) {
    const picked = model.pickSegment(a, b);
    if (picked === undefined) return;
    const [{ process, segments }, selector] = picked;
    expect(model.kernel.remove(process, selector)).toBe(0);
    segments.delete(selector);
  },
  exit(model, a) {
    const of = model.pick(a);
    if (of === undefined || a % 3 !== 0) return;
    model.kernel.exit(of.process);
    model.processes.splice(model.processes.indexOf(of), 1);
  },
  compact(model) {
    model.kernel.compact();
  },
  swapOut(model, a, b) {
    const picked = model.pickSegment(a, b);
    if (picked !== undefined) model.kernel.swapOut(picked[0].process, picked[1]);
  },
};

const step = fc.record({
  name: fc.constantFrom(...Object.keys(OPERATIONS), 'create', 'store', 'store', 'fork'),
  a: fc.nat(1000),
  b: fc.nat(1000),
  c: fc.nat(20000),
});

describe('random operations', () => {
  it.each<[Fit | 'buddy', number, number]>([
    ['first', 64, Infinity],
    ['best', 40, 24],
    ['next', 40, 16],
    ['worst', 48, 0],
    ['buddy', 128, 32],
  ])('keep the audit clean and lose no byte: %s fit, %i KiB, %d KiB of swap', (fit, arenaKib, swapKib) => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 70 }), (steps) => {
        const model = new Model(boot(arenaKib * KIB, { fit, swapBytes: swapKib * KIB }));
        OPERATIONS.spawn(model, 0, 0, 0);
        for (const { name, a, b, c } of steps) {
          OPERATIONS[name](model, a, b, c);
          expect(model.kernel.audit()).toEqual([]);
        }
        model.checkContents();
        model.checkAccess();
        model.checkContents();
      }),
      { numRuns: runs(50) },
    );
  });
});
