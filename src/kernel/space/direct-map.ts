/** The kernel's own way to a frame: through the direct map, past all page tables. */

import { highWordOfFrame, lowWordOfFrame } from '../../../hw/base/address.js';
import type { Ram } from '../../../hw/memory/ram.js';

/** Bytes of a frame, through the direct map; frame -1 is all zeros. */
export function readFrame(ram: Ram, frame: number, inPage: number, target: Uint8Array): void {
  const high = highWordOfFrame(frame);
  const low = lowWordOfFrame(frame);
  for (let i = 0; i < target.length; i++) {
    target[i] = frame < 0 ? 0 : ram.load8(high, low | (inPage + i));
  }
}

/** Stores bytes into a frame, through the direct map: whole words where they are aligned, bytes at both ends. */
export function writeFrame(ram: Ram, frame: number, inPage: number, source: Uint8Array): void {
  const high = highWordOfFrame(frame);
  const low = lowWordOfFrame(frame);
  const words = new DataView(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < source.length;) {
    const at = inPage + i;
    if ((at & 3) === 0 && i + 4 <= source.length) {
      ram.store32(high, low | at, words.getInt32(i, true));
      i += 4;
    } else {
      ram.store8(high, low | at, source[i]);
      i++;
    }
  }
}
