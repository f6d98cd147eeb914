/** A segmented kernel on a machine of its own, for tests. */

import { expect } from 'vitest';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { SegmentedCore } from '../../../hw/x86/segmentation/core.js';
import { SegmentKernel } from '../../../src/segments/kernel.js';
import type { SegmentKernelOptions } from '../../../src/segments/kernel.js';
import type { SegmentProcess } from '../../../src/segments/process.js';

export const MIB = 2 ** 20;
export const KIB = 2 ** 10;

/** `bytes` of arena behind 64 KiB for the tables. */
export function boot(bytes = MIB, options: Omit<SegmentKernelOptions, 'core'> = {}): SegmentKernel {
  const core = new SegmentedCore(new Mmu({ ram: new Ram({ bytes: 64 * KIB + bytes }) }));
  return new SegmentKernel({ core, ...options });
}

/** The process, or a failure of the test. */
export function alive(result: SegmentProcess | number): SegmentProcess {
  if (typeof result === 'number') throw new Error(`no process: error ${result}`);
  return result;
}

/** A selector of a new data segment. */
export function data(kernel: SegmentKernel, process: SegmentProcess, bytes: number): number {
  const selector = kernel.create(process, { kind: 'data', bytes });
  expect(selector).toBeGreaterThan(0);
  return selector;
}

/** The byte at `selector:offset`, or the error. */
export function peek(kernel: SegmentKernel, process: SegmentProcess, selector: number, offset: number): number {
  const status = kernel.load(process, selector, offset, 1);
  return status < 0 ? status : kernel.valueLo & 0xff;
}
