import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasTunable, hugePageSystem, whyNoHugePages } from '../../../src/host/thp.js';
import { temporaryFolder } from '../../folder.js';

it('reads the size of a huge page, and the file of its size', async () => {
  const root = temporaryFolder();
  const folder = join(root, 'sys/kernel/mm/transparent_hugepage');
  mkdirSync(join(folder, 'hugepages-524288kB'), { recursive: true });
  writeFileSync(join(folder, 'hpage_pmd_size'), '536870912\n');
  writeFileSync(join(folder, 'enabled'), 'always [madvise] never\n');
  writeFileSync(join(folder, 'hugepages-524288kB', 'enabled'), '[always] inherit madvise never\n');
  expect(await hugePageSystem(root)).toMatchObject({ setting: 'always', hugePageBytes: 2 ** 29 });
});

it('knows which C libraries have the tunable', () => {
  const system = { setting: 'madvise', basePageBytes: 4096, hugePageBytes: 2 ** 21 } as const;
  const having = ['2.34', '2.35', '2.41', '3.0', null].filter((glibc) => hasTunable({ ...system, glibc }));
  expect(having).toEqual(['2.35', '2.41', '3.0']);
});

it.runIf(process.platform === 'linux')('says what to do where the setting is never, and only there', () => {
  const system = { basePageBytes: 4096, hugePageBytes: 2 ** 21, glibc: '2.36' } as const;
  expect(whyNoHugePages({ ...system, setting: 'never' })).toMatch(/says never, .* as root: echo madvise > /);
  expect(whyNoHugePages({ ...system, setting: 'madvise' })).toBeUndefined();
});
