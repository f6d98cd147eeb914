/** The file of windows by the plugin; `windows.c` says its form. */

import { open, type FileHandle } from 'node:fs/promises';
import type { AccessBlock } from '../../block.js';
import type { QemuStream } from '../../readers/qemu-stream.js';
import { keepsWindow, type WindowPlan } from '../../windows.js';

const WORD_BYTES = 8;
const HEAD_BYTES = 3 * WORD_BYTES;
/** Slots are mapped: so they begin with a page. */
const LARGEST_PAGE = process.arch === 'x64' ? 4096 : 65536;
const CHUNK_BYTES = 1 << 20;

interface Slot {
  /** Where it is in the file. */
  readonly at: number;
  /** Where its window begins in the run. */
  readonly window: number;
  /** Bytes of accesses. */
  readonly bytes: number;
}

/** Bytes of a slot: room for each access of a window in a turn of its own. Most of it stays a hole of the file. */
export function slotBytes(windowLength: number): number {
  return Math.ceil((HEAD_BYTES + 2 * WORD_BYTES * windowLength) / LARGEST_PAGE) * LARGEST_PAGE;
}

/** Makes the file: only holes as yet. @throws the file system's error when it is too large */
export async function makeWindowFile(path: string, { length, most }: Omit<WindowPlan, 'from'>): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(slotBytes(length) * most);
  } finally {
    await file.close();
  }
}

async function slotsOf(file: FileHandle, { length }: WindowPlan, used: number): Promise<Slot[]> {
  const slots: Slot[] = [];
  const head = new BigUint64Array(HEAD_BYTES / WORD_BYTES);
  for (let i = 0; i < used; i++) {
    const at = i * slotBytes(length);
    await file.read(head, 0, HEAD_BYTES, at);
    const [window, words] = head;
    if (words > 0n) slots.push({ at: at + HEAD_BYTES, window: Number(window), bytes: WORD_BYTES * Number(words) });
  }
  return slots;
}

/**
 * The accesses of the windows that stayed, in the order of the run; the block is the stream's own.
 * @param used how many slots have ever been in use: the first ones
 * @param stream knows the processes in the file
 */
export async function* storedWindows(
  path: string,
  plan: WindowPlan,
  used: number,
  stream: QemuStream,
): AsyncGenerator<AccessBlock> {
  const { block } = stream;
  const file = await open(path, 'r');
  try {
    const slots = (await slotsOf(file, plan, used)).sort((a, b) => a.window - b.window);
    const newest = slots.at(-1)?.window ?? 0;
    const words = new Int32Array(CHUNK_BYTES / Int32Array.BYTES_PER_ELEMENT);
    for (const slot of slots.filter(({ window }) => keepsWindow(plan, window, newest))) {
      block.window = slot.window;
      for (let from = 0; from < slot.bytes; from += CHUNK_BYTES) {
        const bytes = Math.min(CHUNK_BYTES, slot.bytes - from);
        await file.read(new Uint8Array(words.buffer), 0, bytes, slot.at + from);
        for (let at = 0; at < bytes / words.BYTES_PER_ELEMENT;) {
          at = stream.feedWindow(words, at, bytes / words.BYTES_PER_ELEMENT);
          yield block;
          block.clear();
        }
      }
    }
  } finally {
    await file.close();
  }
}
