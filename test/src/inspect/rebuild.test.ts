import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Core } from '../../../hw/x86/core.js';
import { Mmu } from '../../../hw/x86/mmu.js';
import { Ram } from '../../../hw/memory/ram.js';
import { planRebuild, Rebuilder } from '../../../src/inspect/rebuild.js';
import type { ResidentRun } from '../../../src/inspect/process-image.js';
import type { LiveRegion } from '../../../src/regions/smaps.js';
import { Kernel } from '../../../src/kernel/kernel.js';
import { image, region } from './images.js';

const PAGE = 4096;
const START = 0x5500_0003_d000;

type Kind = ResidentRun['kind'] | 'absent';

/** One kind a page, as runs. */
function runsOf(kinds: readonly Kind[]): ResidentRun[] {
  return kinds.flatMap((kind, i) => (kind === 'absent' ? [] : [{ start: START + i * PAGE, bytes: PAGE, kind }]));
}

function rebuilt(mapped: LiveRegion, kinds: readonly Kind[], pages: '4K' | '2M'): Kind[] {
  const kernel = new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ bytes: 64 << 20 }) })) });
  const rebuilder = new Rebuilder(kernel, pages);
  rebuilder.add({ region: mapped, runs: runsOf(kinds) });
  return kinds.map((_, i) => {
    const entry = kernel.pagemap(rebuilder.process, START + i * PAGE);
    if (entry?.present !== true) return 'absent';
    return entry.zero ? 'zero' : entry.file ? 'file' : 'anonymous';
  });
}

const file = { device: '08:01', inode: 77, offset: 3 * PAGE, name: '/usr/bin/app' };

test.each([
  ['a private file', { ...file, permissions: 'r-xp' }, ['file', 'anonymous', 'absent'] as const],
  ['a shared file', { ...file, permissions: 'rw-s' }, ['file', 'absent'] as const],
  ['shared memory', { inode: 5, name: '/dev/shm/pool', permissions: 'rw-s' }, ['file', 'absent'] as const],
  ['anonymous memory', {}, ['anonymous', 'zero', 'absent'] as const],
])('the pages of %s that are there are rebuilt, each of its kind, and no others', (_, fields, kinds) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom<Kind>(...kinds), { minLength: 1, maxLength: 70 }),
      fc.constantFrom('4K' as const, '2M' as const),
      (wanted, pages) => {
        expect(rebuilt(region(START, wanted.length * PAGE, fields), wanted, pages)).toEqual(wanted);
      },
    ),
    { numRuns: 30 },
  );
});

test('mappings that share their 2 MiB need room for those 2 MiB once', () => {
  const mappings = Array.from({ length: 256 }, (_, i) => {
    return region(2 ** 31 + 2 * i * PAGE, PAGE, { resident: PAGE, anonymous: PAGE });
  });
  expect(planRebuild(image(mappings), 2 ** 21).leftOut).toEqual([]);
  expect(planRebuild(image(mappings), 2 ** 20).leftOut).toHaveLength(256);
});

test('mappings beyond those that one process of the model may have are left out', () => {
  const mappings = Array.from({ length: 65_532 }, (_, i) => region(2 ** 31 + 2 * i * PAGE, PAGE));
  const { regions, leftOut } = planRebuild(image(mappings), 2 ** 30);
  expect([regions.length, leftOut.length]).toEqual([65_530, 2]);
  expect(leftOut[0]).toEqual({
    what: `anonymous memory at 0x${mappings[65_530].start.toString(16)}`,
    bytes: PAGE,
    why: "the model's kernel keeps 65530 mappings of a process at most",
  });
});
