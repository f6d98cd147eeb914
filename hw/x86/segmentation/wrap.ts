/**
 * Operands of compatibility mode that straddle 4 GiB: linear addresses have 32 bits there and go on at 0, while the
 * memory behind, in IA-32e mode, would go on above 4 GiB. Source: Intel SDM vol. 3A, "Segmentation in 64-Bit Mode".
 */

import { WRITE } from '../../base/access.js';
import { OK } from '../../base/fault.js';
import type { LinearMemory } from './linear-memory.js';

/** Reads byte by byte; the value is in the place of {@link LinearMemory.read}. */
export function readWrapped(memory: LinearMemory, lo: number, size: number, access: number): number {
  let valueLo = 0;
  let valueHi = 0;
  for (let i = 0; i < size; i++) {
    const status = memory.read(0, (lo + i) | 0, 1, access);
    if (status < 0) return status;
    if (i < 4) valueLo |= memory.valueLo << (8 * i);
    else valueHi |= memory.valueLo << (8 * (i - 4));
  }
  memory.valueLo = valueLo;
  memory.valueHi = valueHi;
  return OK;
}

/** Writes byte by byte, once both pages are known to allow it. */
export function writeWrapped(
  memory: LinearMemory,
  lo: number,
  size: number,
  valueHi: number,
  valueLo: number,
  access: number,
): number {
  for (const end of [lo, (lo + size - 1) | 0]) {
    const status = memory.translate(0, end, access | WRITE);
    if (status < 0) return status;
  }
  for (let i = 0; i < size; i++) {
    const byte = i < 4 ? valueLo >>> (8 * i) : valueHi >>> (8 * (i - 4));
    const status = memory.write(0, (lo + i) | 0, 1, 0, byte, access);
    if (status < 0) return status;
  }
  return OK;
}
