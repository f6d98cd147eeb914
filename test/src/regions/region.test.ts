import { expect, test } from 'vitest';
import { kindOf, regionName } from '../../../src/regions/region.js';
import { parseSmaps } from '../../../src/regions/smaps.js';
import { region } from './regions.js';

test.each([
  ['[heap]', 'rw-p', 'heap'],
  ['[anon: glibc: malloc arena]', 'rw-p', 'heap'],
  ['[anon: Go: heap]', 'rw-p', 'heap'],
  ['', 'rw-p', 'anonymous'],
  ['', '---p', 'anonymous'],
  ['[anon:v8]', 'rw-p', 'anonymous'],
  ['/dev/zero', 'rw-p', 'anonymous'],
  ['[stack]', 'rw-p', 'stack'],
  ['[stack:4711]', 'rw-p', 'stack'],
  ['[anon: glibc: pthread stack: 4711]', 'rw-p', 'stack'],
  ['/dev/zero (deleted)', 'rw-s', 'shared memory'],
  ['/memfd:pool (deleted)', 'rw-s', 'shared memory'],
  ['/SYSV00000000 (deleted)', 'rw-s', 'shared memory'],
  ['/dev/shm/PostgreSQL.4', 'rw-s', 'shared memory'],
  ['/usr/lib/libc.so.6', 'r--p', 'library'],
  ['/usr/lib/libjvm.so (deleted)', 'rw-p', 'library'],
  ['/usr/bin/redis-server', 'r-xp', 'library'],
  ['/usr/share/dict.sorted', 'r--p', 'file'],
  ['/data/db.so-called', 'r--s', 'file'],
  ['[vdso]', 'r-xp', 'special'],
  ['[vvar_vclock]', 'r--p', 'special'],
  ['[vsyscall]', '--xp', 'special'],
  ['/dev/nvidia0', 'rw-s', 'special'],
  ['anon_inode:[io_uring]', 'rw-s', 'special'],
])('%s (%s) is of kind %s', (name, permissions, kind) => {
  expect(kindOf({ name, permissions })).toBe(kind);
});

test('pages of more than 4 KiB make it hugetlb, whatever its name', () => {
  expect(kindOf({ name: '/dev/hugepages/pool', permissions: 'rw-s', pageBytes: 2 ** 21 })).toBe('hugetlb');
  expect(kindOf({ name: '', permissions: 'rw-p', pageBytes: 2 ** 30 })).toBe('hugetlb');
});

test('anonymous memory that grows downwards is a stack, memory of a device is special', () => {
  expect(kindOf({ name: '', permissions: 'rw-p', stack: true })).toBe('stack');
  expect(kindOf({ name: '/memfd:gpu', permissions: 'rw-s', ofDevice: true })).toBe('special');
});

test('a region without a name is named by its place', () => {
  expect([regionName(region(0x7f00_0000_0000, 4096)), regionName(region(4096, 4096, { name: '[heap]' }))]).toEqual([
    'anonymous memory at 0x7f0000000000',
    '[heap]',
  ]);
});

const SMAPS = `00400000-00406000 r-xp 00000000 08:01 77                         /usr/bin/app
Rss:                  20 kB
VmFlags: rd ex mr mw me
00606000-00608000 rw-p 00006000 08:01 77                         /usr/bin/app
Rss:                   8 kB
Anonymous:             4 kB
VmFlags: rd wr mr mw me
00700000-00900000 rw-p 00000000 08:01 78                         /data/table
7f0000000000-7f0000400000 rw-p 00000000 00:00 0
KernelPageSize:        4 kB
Rss:                4096 kB
Referenced:         2052 kB
Anonymous:          4096 kB
AnonHugePages:      2048 kB
VmFlags: rd wr mr mw me ac hg
7f0000600000-7f0000800000 rw-s 00000000 00:01 9                  /memfd:pool (deleted)
ShmemPmdMapped:     2048 kB
VmFlags: rd wr sh mr mw me ms nh
7f0000a00000-7f0001200000 rw-p 00000000 00:0f 10                 /anon_hugepage (deleted)
KernelPageSize:     2048 kB
Private_Hugetlb:    4096 kB
VmFlags: rd wr mr mw me de ht
7fff00000000-7fff00021000 rw-p 00000000 00:00 0                  [stack]
VmFlags: rd wr mr mw me gd ac
`;

test('smaps gives each region its kind, advice and sums', () => {
  const regions = parseSmaps(SMAPS);
  expect(regions.map(({ kind }) => kind)).toEqual([
    'library',
    'library',
    'file',
    'anonymous',
    'shared memory',
    'hugetlb',
    'stack',
  ]);
  expect(regions.map(({ advice }) => advice)).toEqual(['none', 'none', 'none', 'huge', 'nohuge', 'none', 'none']);
  expect(regions[3]).toMatchObject({ resident: 4 << 20, referenced: 2052 << 10, anonymousHuge: 2 << 20, fileHuge: 0 });
  expect(regions[4].fileHuge).toBe(2 << 20);
  expect(regions[5]).toMatchObject({ resident: 4 << 20, pageBytes: 2 << 20 });
});

test('maps without the sums of smaps gives the same regions', () => {
  const maps = SMAPS.replace(/^\w+:.*\n/gm, '');
  const places = (text: string): unknown[] => parseSmaps(text).map(({ start, end, name }) => [start, end, name]);
  expect(places(maps)).toEqual(places(SMAPS));
});

test('a smaps_rollup is read as one region: the sums of all', () => {
  const text = `5581-7ffe ---p 00000000 00:00 0                          [rollup]
Rss:              131220 kB
Pss_Anon:         129000 kB
Anonymous:        129024 kB
AnonHugePages:    126976 kB
`;
  const [sums, ...others] = parseSmaps(text);
  expect(others).toEqual([]);
  expect(sums).toMatchObject({ resident: 131220 * 1024, anonymous: 129024 * 1024, anonymousHuge: 126976 * 1024 });
});
