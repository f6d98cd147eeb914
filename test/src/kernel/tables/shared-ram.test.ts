import { expect, it } from 'vitest';
import { Core } from '../../../../hw/x86/core.js';
import { Ram } from '../../../../hw/memory/ram.js';
import { Mmu } from '../../../../hw/x86/mmu.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import { Kernel } from '../../../../src/kernel/kernel.js';
import { alive, GIB, MIB, spawn } from '../machine.js';

const PAGE = 4096;

/** Maps, forks, breaks copy-on-write, changes rights and unmaps. Returns RAM, counts and books afterwards. */
function run(shared: boolean): { words: Int32Array; counters: unknown; audit: string[] } {
  const ram = new Ram({ bytes: 32 * MIB, shared });
  const kernel = new Kernel({ processor: new Core(new Mmu({ ram })) });
  for (const pages of ['4K', '2M'] as const) {
    const parent = spawn(kernel, pages);
    kernel.mapRegion(parent, GIB, 4 * MIB);
    for (let i = 0; i < 1024; i += 3) kernel.store(parent, GIB + i * PAGE, 4, i);
    const child = alive(kernel.fork(parent));
    for (let i = 0; i < 1024; i += 7) kernel.store(child, GIB + i * PAGE, 4, -i);
    kernel.mprotect(parent, GIB + PAGE, 100 * PAGE, f.PROT_READ);
    kernel.mprotect(parent, GIB + PAGE, 50 * PAGE, f.PROT_READ | f.PROT_WRITE);
    kernel.madvise(parent, GIB + 300 * PAGE, 90 * PAGE, f.MADV_FREE);
    kernel.clearSoftDirty(child);
    kernel.store(parent, GIB, 4, 9);
    kernel.munmap(child, GIB + 200 * PAGE, 300 * PAGE);
  }
  return { words: ram.words, counters: kernel.counters, audit: kernel.audit() };
}

/** RAM alone: behind it may be room of the hot loops. */
const bytesOf = ({ buffer, byteLength }: Int32Array): Buffer => Buffer.from(buffer, 0, byteLength);

it('leaves the same entries, contents and counts on shared RAM', () => {
  const [plain, shared] = [run(false), run(true)];
  expect(Buffer.compare(bytesOf(plain.words), bytesOf(shared.words))).toBe(0);
  expect(shared.counters).toEqual(plain.counters);
  expect([plain.audit, shared.audit]).toEqual([[], []]);
});
