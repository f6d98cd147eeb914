import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import { DEFAULT_POLICY } from '../../../src/regions/policy.js';
import { inspect } from '../../../src/inspect/inspect.js';
import { inspectText } from '../../../src/inspect/inspect-text.js';
import { readProcess } from '../../../src/inspect/live-process.js';
import { ProcessGone } from '../../../src/inspect/proc-files.js';
import { RunBuilder } from '../../../src/inspect/pagemap.js';
import { residentRuns } from '../../../src/inspect/process-image.js';
import { planRebuild } from '../../../src/inspect/rebuild.js';
import { parseSmaps } from '../../../src/regions/smaps.js';
import { image, region } from './images.js';

const KIB = 1024;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const SHARE = { tlb: MODEL_DEFAULT };

test('smaps gives regions with their sums, and lines to come do no harm', () => {
  const text = [
    '7f0000000000-7f0000003000 r-xp 00002000 fe:00 260386                     /usr/lib/a b.so (deleted)',
    'Size:                 12 kB',
    'KernelPageSize:        4 kB',
    'Rss:                   8 kB',
    'Anonymous:             4 kB',
    'Novelty:               9 kB',
    'VmFlags: rd ex mr mw me nh',
    'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]',
    '',
  ].join('\n');
  const [first, second, ...more] = parseSmaps(text);
  expect(more).toEqual([]);
  expect(first).toMatchObject({ start: 0x7f0000000000, end: 0x7f0000003000, offset: 0x2000, inode: 260386 });
  expect(first).toMatchObject({ permissions: 'r-xp', name: '/usr/lib/a b.so (deleted)', device: 'fe:00' });
  expect(first).toMatchObject({ resident: 8 * KIB, anonymous: 4 * KIB, pageBytes: 4096 });
  expect(first.flags).toEqual(['rd', 'ex', 'mr', 'mw', 'me', 'nh']);
  expect(second.name).toBe('[vsyscall]');
});

test('pagemap entries of one kind side by side make one run', () => {
  const builder = new RunBuilder(4096);
  const alone = (1n << 63n) | (1n << 56n);
  const entries = [alone, alone, 0n, 1n << 62n, (1n << 63n) | (1n << 61n), alone];
  const bytes = new Uint8Array(BigUint64Array.from(entries).buffer);
  builder.add(0x1000, bytes.subarray(0, 8));
  builder.add(0x2000, bytes.subarray(8));
  expect(builder.finish(0x3000)).toEqual([
    { start: 0x1000, bytes: 0x2000, kind: 'anonymous' },
    { start: 0x5000, bytes: 0x1000, kind: 'file' },
    { start: 0x6000, bytes: 0x1000, kind: 'anonymous' },
  ]);
});

test.each([
  ['only read', 0x1000, ['anonymous 4096', 'zero 8192']],
  ['shared after a fork', 0x3000, ['anonymous 4096', 'anonymous 8192']],
  ['both, the places a guess', 0x2000, ['anonymous 4096', 'anonymous 4096', 'zero 4096']],
])('pages that may be the page of zeros are what smaps leaves of them: %s', (_, counted, runs) => {
  const builder = new RunBuilder(4096);
  const entries = [(1n << 63n) | (1n << 56n), 1n << 63n, 1n << 63n];
  builder.add(0x1000, new Uint8Array(BigUint64Array.from(entries).buffer));
  expect(builder.finish(counted).map(({ kind, bytes }) => `${kind} ${bytes}`)).toEqual(runs);
});

test('the page of zeros takes tables, and is resident nowhere', async () => {
  const heap = region(0x4000_0000, 64 * KIB, { resident: 8 * KIB, anonymous: 8 * KIB });
  const runs = [
    { start: 0x4000_0000, bytes: 8 * KIB, kind: 'anonymous' },
    { start: 0x4000_8000, bytes: 32 * KIB, kind: 'zero' },
  ] as const;
  const result = await inspect(image([heap], new Map([[heap, runs]])), SHARE);
  expect([result.zeroBytes, result.presentBytes, result.runs[0].residentBytes]).toEqual([32 * KIB, 8 * KIB, 8 * KIB]);
  expect(stripVTControlCharacters(inspectText(result))).toContain('32 KiB more were only read so far');
});

test('shared huge pages are resident, and fork leaves their entries out', async () => {
  const huge = { pageBytes: 2 * MIB, flags: ['rd', 'wr', 'sh', 'ht'], name: '/dev/hugepages/pool', inode: 9 };
  const pool = region(2 ** 31, 8 * MIB, { ...huge, permissions: 'rw-s', resident: 4 * MIB });
  const heap = region(2 ** 32, 64 * KIB, { resident: 64 * KIB, anonymous: 64 * KIB });
  const { runs, leftOut } = await inspect(image([pool, heap]), SHARE);
  expect(leftOut).toEqual([]);
  expect(runs[0]).toMatchObject({ hugePages: 2, smallPages: 16, residentBytes: 4 * MIB + 64 * KIB });
  expect(runs[0].fork.entriesCopied).toBe(16);
  expect(runs[0].twoForks).toMatchObject({ sharedWhenTouched: 4 * MIB, copiedIfWritten: 64 * KIB });
});

test('without pagemap the sums of smaps say how much is resident', () => {
  const heap = region(0x100_0000, MIB, { resident: 24 * KIB, anonymous: 16 * KIB });
  expect(residentRuns(image([heap]), heap)).toEqual([
    { start: 0x100_0000, bytes: 16 * KIB, kind: 'anonymous' },
    { start: 0x100_4000, bytes: 8 * KIB, kind: 'file' },
  ]);
});

test('a small process: tables, TLB, fork and sharing follow from its pages', async () => {
  // 4 MiB of heap, all touched; 16 KiB of code from a file, shared by nobody yet.
  const heap = region(0x4000_0000, 4 * MIB, { resident: 4 * MIB, anonymous: 4 * MIB, name: '[heap]' });
  const code = region(0x40_0000, 16 * KIB, {
    permissions: 'r-xp',
    inode: 5,
    name: '/bin/app',
    resident: 16 * KIB,
    flags: ['rd', 'ex'],
  });
  const result = await inspect(image([code, heap]), SHARE);
  const [small, huge] = result.runs;
  // Root, one PDPT; a PD and a PT for the code, a PD and two PTs for the heap, which huge pages do without.
  expect([small.tableBytes, huge.tableBytes]).toEqual([7 * 4096, 5 * 4096]);
  expect([small.smallPages, small.hugePages]).toEqual([1028, 0]);
  expect([huge.smallPages, huge.hugePages]).toEqual([4, 2]);
  expect([small.residentBytes, huge.residentBytes]).toEqual([4 * MIB + 16 * KIB, 4 * MIB + 16 * KIB]);
  expect([small.tlbReachBytes, huge.tlbReachBytes]).toEqual([1536 * 4 * KIB, 1536 * 2 * MIB]);
  expect([small.fork.entriesCopied, huge.fork.entriesCopied]).toEqual([1024, 2]);
  // The child needs no tables for the code: faults bring it back from the page cache.
  expect(small.fork.tableBytes).toBe(5 * 4096);
  expect(small.twoForks).toEqual({
    sharedBytes: 4 * MIB,
    sharedWhenTouched: 16 * KIB,
    addedBytes: 2 * 5 * 4096,
    copiedIfWritten: 4 * MIB,
  });
});

test('one page in each 2 MiB becomes a huge page in each of them', async () => {
  const sparse = region(2 ** 31, 64 * MIB, { resident: 32 * 4096, anonymous: 32 * 4096 });
  const runs = Array.from({ length: 32 }, (_, i) => ({
    start: 2 ** 31 + i * 2 * MIB,
    bytes: 4096,
    kind: 'anonymous' as const,
  }));
  const { runs: measured } = await inspect(image([sparse], new Map([[sparse, runs]])), SHARE);
  expect(measured.map(({ residentBytes }) => residentBytes)).toEqual([32 * 4096, 64 * MIB]);
});

test('a system whose settings nobody gave is taken for one left as it is', async () => {
  const heap = region(2 ** 31, 4 * MIB, { resident: 4 * MIB, anonymous: 4 * MIB });
  expect((await inspect(image([heap]), SHARE)).policy).toEqual(DEFAULT_POLICY);
});

test('memory that must not have huge pages gets none', async () => {
  const heap = region(2 ** 31, 4 * MIB, { resident: 4 * MIB, anonymous: 4 * MIB, flags: ['rd', 'wr', 'nh'] });
  const { runs } = await inspect(image([heap]), SHARE);
  expect(runs[1].hugePages).toBe(0);
});

test('pages that were written before they were protected are there all the same', async () => {
  const relro = region(2 ** 31, 8 * KIB, {
    permissions: 'r--p',
    inode: 3,
    name: '/lib/x',
    resident: 8192,
    anonymous: 4096,
  });
  const guard = region(2 ** 32, 8 * KIB, { permissions: '---p', resident: 4096, anonymous: 4096 });
  const { runs } = await inspect(image([relro, guard]), SHARE);
  expect(runs[0].residentBytes).toBe(12 * KIB);
  expect(runs[0].twoForks.copiedIfWritten).toBe(0);
});

test('a process larger than the model keeps its mappings and tells what was left out', () => {
  const large = region(2 ** 40, 64 * GIB, { resident: 40 * GIB, anonymous: 40 * GIB, name: '[heap]' });
  const next = region(2 ** 41, GIB, { resident: MIB, anonymous: MIB });
  const system = region(2 ** 63, 4096, { name: '[vsyscall]' });
  const lowest = region(0x1000, 4096);
  const { regions, leftOut } = planRebuild(image([lowest, large, next, system]), 8 * GIB);
  expect(regions.map(({ runs }) => runs.length)).toEqual([0, 1]);
  expect(leftOut.map(({ what, bytes }) => [what, bytes])).toEqual([
    ['anonymous memory at 0x1000', 4096],
    ['resident pages of [heap]', 40 * GIB],
    ['[vsyscall]', 4096],
  ]);
});

test('the text says what was left out, and no line is wider than a terminal', async () => {
  const system = region(2 ** 63, 4096, { name: '[vsyscall]' });
  const heap = region(2 ** 31, 4 * MIB, { resident: MIB, anonymous: MIB, swapped: MIB });
  const text = stripVTControlCharacters(inspectText(await inspect(image([heap, system]), SHARE)));
  expect(text).toContain('Left out: [vsyscall] (4 KiB)');
  expect(text).toContain('1 MiB are in swap');
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

const onLinux = process.platform === 'linux';

test.runIf(onLinux)('this very process can be looked at', () => {
  const { regions, command } = readProcess(process.pid);
  expect(regions.length).toBeGreaterThan(20);
  expect(command).not.toBe('');
  expect(regions.some(({ resident }) => resident > MIB)).toBe(true);
});

/** A process that does nothing more once it has said so. */
async function quietProcess(): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', 'echo ready; read line'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

test.runIf(onLinux)('a process that stands still is rebuilt to the byte', async () => {
  const child = await quietProcess();
  try {
    const result = await inspect(readProcess(child.pid!), SHARE);
    expect(result.runs[0].residentBytes).toBe(result.residentBytes);
    expect(result.presentBytes ?? result.residentBytes).toBe(result.residentBytes);
  } finally {
    child.kill();
  }
});

test.runIf(onLinux)('a process that does not exist is told in words', () => {
  expect(() => readProcess(4_194_303)).toThrow(
    new ProcessGone('PID 4194303: there is no such process, or it has ended'),
  );
});

test.skipIf(onLinux)('elsewhere than on Linux it says so', () => {
  expect(() => readProcess(process.pid)).toThrow(/which Linux has/);
});
