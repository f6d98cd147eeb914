import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readPolicy } from '../../../src/regions/host.js';
import { parsePolicy } from '../../../src/regions/policy.js';
import { temporaryFolder } from '../../folder.js';

const THP = 'sys/kernel/mm/transparent_hugepage';

test('the settings are read from the files of the kernel', () => {
  const root = temporaryFolder();
  const files = {
    [`${THP}/enabled`]: 'always [madvise] never\n',
    [`${THP}/hugepages-2048kB/enabled`]: 'always [inherit] madvise never\n',
    [`${THP}/shmem_enabled`]: 'always within_size [advise] never deny force\n',
    [`${THP}/khugepaged/max_ptes_none`]: '409\n',
    'proc/mounts': 'tmpfs /dev/shm tmpfs rw,nosuid,huge=within_size,size=1024k 0 0\n',
    'proc/7/status': 'Name:\tapp\nTHP_enabled:\t0\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  expect(readPolicy(7, root)).toEqual({
    enabled: 'madvise',
    shmem: 'advise',
    devShm: 'within_size',
    maxPtesNone: 409,
    disabled: true,
  });
});

test('the setting for 2 MiB goes before the one for all sizes, unless it inherits', () => {
  const enabled = 'always madvise [never]';
  expect(parsePolicy({ enabled, enabledHuge: '[always] inherit madvise never' }).enabled).toBe('always');
  expect(parsePolicy({ enabled, enabledHuge: 'always [inherit] madvise never' }).enabled).toBe('never');
});

test('a kernel without the files gives no huge pages', () => {
  expect(readPolicy(7, temporaryFolder())).toEqual({
    enabled: 'never',
    shmem: 'never',
    devShm: 'never',
    maxPtesNone: 511,
    disabled: false,
  });
});
