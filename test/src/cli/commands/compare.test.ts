import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { thisPricedHost } from '../../../../src/cli/priced-host.js';
import { pricesFor } from '../../../../src/compare/time/preset-prices.js';
import { CompareResult } from '../../../../src/report/results/compare-result.js';
import { compareText } from '../../../../src/report/views/compare-views.js';
import type { PricedHost } from '../../../../src/report/results/prices.js';
import { LOAD } from '../../../../src/trace/block.js';
import type { TraceMetadata } from '../../../../src/trace/packed/metadata.js';
import { writePacked } from '../../../../src/trace/packed/packed-writer.js';
import { referenceReplay } from '../../compare/reference-tlb.js';
import { blocksOf } from '../../trace/blocks.js';
import { expectUsageError, runCli, runCliApart, spawnCli } from '../run-cli.js';
import type { SweepResult } from '../../../../src/report/results/sweep-result.js';

type Access = readonly [string, bigint, number];

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

/** Accesses that hop over 3 MiB in steps that share no factor with anything, some of them across pages. */
const ACCESSES: Access[] = Array.from({ length: 6000 }, (_, i) => {
  return ['LSM'.charAt(i % 3), 0x40_0ffcn + BigInt((i * 7919) % 3_000_000), i % 5 === 0 ? 16 : 8];
});

function lackeyText(accesses: readonly Access[]): string {
  const lines = accesses.map(([kind, address, size]) => ` ${kind} ${address.toString(16).padStart(8, '0')},${size}\n`);
  return `==1== Lackey, an example Valgrind tool\n${lines.join('')}`;
}

/** Writes a file and gives its path. */
function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function compareJson(args: readonly string[]): Promise<CompareResult> {
  const { status, stdout, stderr } = await runCliApart(['compare', ...args, '--json']);
  expect([status, stderr]).toEqual([0, '']);
  return CompareResult.parse(JSON.parse(stdout));
}

test('a gzipped lackey file gives the counts of the reference', async () => {
  const path = file('app.lackey.gz', gzipSync(lackeyText(ACCESSES)));
  const { runs } = await compareJson([path, '--pages', '4K,2M', '--tlb', '64x4+1536x12']);
  const shapes = { l1: { entries: 64, ways: 4 }, l2: { entries: 1536, ways: 12 } };
  expect(runs.map((run) => [run.trace, run.pages, run.counts])).toEqual([
    [path, '4K', referenceReplay(ACCESSES, 12, shapes).data],
    [path, '2M', referenceReplay(ACCESSES, 21, shapes).data],
  ]);
});

test('standard input is a trace, and the default command compares', () => {
  const { status, stdout } = spawnCli(['-', '--pages', '4K'], lackeyText(ACCESSES));
  expect(status).toBe(0);
  expect(stdout).toContain('standard input');
});

test('fetches are left out unless asked for, and reported apart', async () => {
  const path = file('fetches.lackey', 'I  04001000,3\n L 04002000,8\nI  04001003,3\n');
  expect((await compareJson([path, '--pages', '4K'])).runs[0]).not.toHaveProperty('fetches');
  const [run] = (await compareJson([path, '--pages', '4K', '--fetches'])).runs;
  expect([run.counts.lookups, run.fetches?.counts.lookups, run.fetches?.counts.l1Hits]).toEqual([1, 2, 1]);
});

test('addresses that no process can own are counted and left out', async () => {
  const path = file('kernel.lackey', ' L ffffffff81000000,8\n M 800000000000,8\n S 00001000,8\n');
  const { traces, runs } = await compareJson([path, '--pages', '4K']);
  expect([traces[0].outsideUserSpace, runs[0].counts.lookups, runs[0].perAccess.accesses]).toEqual([2, 1, 1]);
});

test('a malformed line ends the command with its number, unless --lenient skips it', async () => {
  const path = file('bad.lackey', ' L 00001000,8\n L 0000zz00,8\n');
  const { status, stdout, stderr } = await runCliApart(['compare', path]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: bad\.lackey: line 2: [^\n]+\n$/);
  expect((await compareJson([path, '--lenient', '--pages', '4K'])).traces[0].skippedLines).toBe(1);
});

test('a generated workload is the same for the same seed', async () => {
  const args = ['-w', 'uniform', '--footprint', '16M', '--accesses', '5k', '--pages', '4K,2M'];
  const counts = async (seed: string): Promise<unknown[]> =>
    (await compareJson([...args, '--seed', seed])).runs.map((run) => run.counts);
  const seven = await counts('7');
  expect(await counts('7')).toEqual(seven);
  expect(await counts('8')).not.toEqual(seven);
});

test('the report says what an access of a workload is', async () => {
  const about = async (name: string): Promise<string | undefined> =>
    (await compareJson(['-w', name, '--footprint', '1M', '--accesses', '10', '--pages', '4K'])).traces[0].about;
  expect(await about('uniform')).toMatch(
    /; 1 MiB, seed 1; an access is a load-modify-store, which counts and is looked up as two$/,
  );
  expect(await about('chase')).toMatch(/; an access is a load$/);
});

test('--huge-share gives 2M pages to a part of the places, the same for the same seed, and says so', async () => {
  const args = ['-w', 'uniform', '--footprint', '32M', '--accesses', '100k', '--huge-share', '60%'];
  const compared = await compareJson(args);
  expect(compared.runs.map(({ pages, hugeShare }) => [pages, hugeShare])).toEqual([
    ['4K', undefined],
    ['2M', 0.6],
  ]);
  const { counts } = compared.runs[1];
  expect((await compareJson([...args, '--seed', '1'])).runs[1].counts).toEqual(counts);
  expect((await compareJson([...args, '--seed', '2'])).runs[1].counts).not.toEqual(counts);
  const text = compareText(compared);
  expect(text).toContain('60% 2M pages');
  expect(text.replaceAll(/\s+/g, ' ')).toContain(' 2M pages in 60% of their places: 1.');
});

test('--huge-share needs 2M pages, and --seed something that is drawn', async () => {
  await expectUsageError(['compare', '--huge-share', '60'], ['--huge-share', 'percentage']);
  await expectUsageError(['compare', '--huge-share', '60%', '-p', '4K,1G'], ['--pages 4K,2M']);
  await expectUsageError(['compare', '--seed', '3'], ['--workload NAME or --huge-share']);
});

test('traces and workloads are compared one after the other', async () => {
  const path = file('one.lackey', ' L 00001000,8\n');
  const args = [path, '-w', 'stream', '--footprint', '1M', '--accesses', '100', '--pages', '4K'];
  expect((await compareJson(args)).runs.map((run) => run.trace)).toEqual([path, 'stream']);
});

test('prices from a file replace the ones they name', async () => {
  const path = file('one.lackey', ' L 00001000,8\n');
  const costs = file('costs.json', '{ "memoryNs": 1234 }');
  const preset = pricesFor('zen3');
  const { prices } = await compareJson([path, '--pages', '4K', '--tlb', 'zen3', '--costs', costs]);
  const replaced = { file: { name: costs, prices: ['memoryNs'] }, source: `${preset.source}; ${costs}` };
  expect(prices).toEqual({ ...preset, memoryNs: 1234, ...replaced });
});

test('a first touch is replaced by page size', async () => {
  const path = file('one.lackey', ' L 00001000,8\n');
  const costs = file('costs.json', '{ "firstTouch": { "2M": { "faultNs": 7, "zeroNsPerByte": 0 } } }');
  const { runs, prices } = await compareJson([path, '--pages', '4K,2M', '--costs', costs]);
  expect(prices.firstTouch).toEqual({ ...pricesFor('skylake').firstTouch, '2M': { faultNs: 7, zeroNsPerByte: 0 } });
  expect([runs[0].firstTouch.ns > 0, runs[1].firstTouch.ns]).toEqual([true, 7]);
});

test("prices of another machine are refused without --force, and this machine's are taken", async () => {
  const path = file('one.lackey', ' L 00001000,8\n');
  const priced = (host: PricedHost): string =>
    file(`${host.name}.json`, JSON.stringify({ ...pricesFor('zen3'), host }));
  const here = thisPricedHost();
  const other = priced({ ...here, name: 'elsewhere' });
  const { status, stderr } = await runCli(['compare', path, '--costs', other]);
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/prices of another machine: its name is elsewhere.*--force/),
  ]);
  expect((await compareJson([path, '--costs', other, '--force'])).prices.host?.name).toBe('elsewhere');
  expect((await compareJson([path, '--costs', priced({ ...here, kernel: '1.0' })])).prices.host).toEqual({
    ...here,
    kernel: '1.0',
  });
});

/** The environment of a host that was calibrated, with these changes to its file. */
function calibrated(changes: object): Record<string, string> {
  const cache = join(folder, 'cache', 'pagewalk');
  mkdirSync(cache, { recursive: true });
  const prices = { ...pricesFor('skylake'), memoryNs: 123, host: thisPricedHost(), ...changes };
  writeFileSync(join(cache, `prices-${hostname()}.json`), JSON.stringify(prices));
  return { XDG_CACHE_HOME: join(folder, 'cache') };
}

const fitted = (tlb: string): object => ({ walkFactor: { low: 1, high: 2, tlb } });

test.each([
  ['of this host are taken', {}, [], 123, /^$/],
  ['fitted with the TLB in question are taken', fitted('zen3'), ['--tlb', 'zen3'], 123, /^$/],
  ['are left for --costs preset', {}, ['--costs', 'preset'], undefined, /^$/],
  ['fitted with another TLB are named, and not taken', fitted('zen3'), [], undefined, /^note: .*--tlb zen3.*--costs/],
  [
    'of another machine are named, and not taken',
    { host: { ...thisPricedHost(), cores: 99 } },
    [],
    undefined,
    /^note: .*not used: .*another machine: its cores is 99.*calibrate/,
  ],
  ['of another machine are taken with --force', { host: { ...thisPricedHost(), cores: 99 } }, ['--force'], 123, /^$/],
  ['of another version are named, and not taken', { version: 9 }, [], undefined, /^note: .*version.*calibrate anew/],
])('prices by calibrate %s', async (_, changes, words, memoryNs, note) => {
  const args = ['compare', file('one.lackey', ' L 00001000,8\n'), '--pages', '4K', '--json', ...words];
  const { status, stdout, stderr } = await runCliApart(args, calibrated(changes));
  const { prices } = CompareResult.parse(JSON.parse(stdout));
  expect([status, prices.memoryNs]).toEqual([0, memoryNs ?? pricesFor('skylake').memoryNs]);
  expect(prices.host === undefined).toBe(memoryNs === undefined);
  expect(stderr).toMatch(note);
  expect(stderr.split('\n').length).toBeLessThanOrEqual(2);
});

test('--nested says of a virtual machine what pages its host has', async () => {
  const path = file('one.lackey', ' L 00001000,8\n');
  const reads = async (nested: string): Promise<unknown> =>
    (await compareJson([path, '--pages', '4K', '--tlb', '64x4', '--nested', nested])).runs[0].reads.walks;
  expect(await reads('none')).toEqual({ l2: 0, l3: 0, contested: 0, memory: 4 });
  expect(await reads('2M')).not.toEqual(await reads('none'));
});

test('over a host with 4 KiB pages no entry of the TLB holds a huge page, and reads of the host are reads too', async () => {
  const path = file('app.lackey', lackeyText(ACCESSES));
  const compared = (nested: string): Promise<CompareResult> =>
    compareJson([path, '--pages', '4K,2M', '--tlb', '64x4+128x4', '--nested', nested]);
  const [bare, nested] = [await compared('none'), await compared('4K')];
  expect(bare.runs[1].reach).toEqual({ entriesNeeded: 2, entries: 128 });
  const { entriesNeeded, entries, held } = nested.runs[1].reach;
  expect([entriesNeeded, entries, held]).toEqual([nested.runs[0].reach.entriesNeeded, 128, '4K']);
  expect(nested.traces[0].why).toMatch(/needs [\d,]+ entries of 4K with 2M pages too: no entry holds more/);
  for (const { counts, perAccess, reads } of [...bare.runs, ...nested.runs]) {
    const { l2, l3, contested, memory } = reads.walks;
    expect(perAccess.entryReads * perAccess.accesses).toBeCloseTo(l2 + l3 + contested + memory, 6);
    expect(l2 + l3 + contested + memory).toBeGreaterThanOrEqual(counts.entryReads);
  }
  expect(nested.runs[0].perAccess.entryReads).toBeGreaterThan(bare.runs[0].perAccess.entryReads);
});

test.each([
  ['{ "memoryNS": 9 }', "costs.json: no price is called 'memoryNS'; there are version, source, host,"],
  ['{ "firstTouch": { "8K": {} } }', "firstTouch: no price is called '8K'; there are 4K, 4K+contig, 16K,"],
  ['{ "firstTouch": { "4K": { "ns": 1 } } }', 'firstTouch.4K.faultNs: expected'],
  [
    '{ "firstTouch": { "4K": { "faultNs": 1, "zeroNsPerByte": 1, "ns": 1 } } }',
    "firstTouch.4K: no price is called 'ns'; there are faultNs, zeroNsPerByte",
  ],
  [
    '{ "caches": { "l1": { "bytes": 1, "ways": 1, "ns": 1 }, "l2": { "bytes": 1, "ways": 1, "ns": 1 }, "l3": { "x": 1 } } }',
    'caches.l3.bytes: expected',
  ],
  ['{ "memoryNs": -1 }', 'memoryNs: expected a number above 0, found -1'],
  ['{ "nsPerCycle": 0 }', 'nsPerCycle: expected a number above 0, found 0'],
  ['{ "walkFactor": { "low": 3, "high": 1 } }', 'walkFactor: expected low to be high or less'],
  ['{ "memoryNs": 1e308 }', 'memoryNs: expected a number of at most 1000000000, found 1e+308'],
  ['{ "caches": { "l1": { "bytes": 1 } } }', 'caches.l1.ways: expected'],
  ['{ "version": 7 }', 'version: expected'],
  ['[]', 'expected an object of prices'],
  ['{}', 'has no price; name one of nsPerInstruction, nsPerCycle, caches, memoryNs'],
  ['{ "version": 1, "source": "mine" }', 'has no price; name one of'],
  ['{ "loads": [], "streams": [] }', 'has no price; name one of'],
  ['{ "memoryNs": 9, "firstTouch": {} }', 'firstTouch: expected prices of at least one of 4K, 4K+contig'],
  ['{ "memoryNs": null }', 'memoryNs: expected a number, found null'],
  ['{', 'not JSON'],
])('a wrong cost file %j is told by field', async (text, part) => {
  const { status, stderr } = await runCli(['compare', '-w', 'stream', '--costs', file('costs.json', text)]);
  expect(status).toBe(1);
  expect(stderr).toContain('costs.json');
  expect(stderr).toContain(part);
  expect(stderr.trimEnd()).not.toContain('\n');
});

test('CSV and plot are written beside the table, whole', async () => {
  const path = file('one.lackey', ' L 00001000,8\n');
  const [csv, svg] = [join(folder, 'out.csv'), join(folder, 'out.svg')];
  const { status, stdout } = await runCliApart(['compare', path, '--csv', csv, '--plot', svg]);
  expect([status, stdout.includes('page walks')]).toEqual([0, true]);
  expect(readFileSync(csv, 'utf8').split('\n')).toHaveLength(5);
  expect(readFileSync(svg, 'utf8')).toContain('<svg');
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('a page size that needs more RAM than the model has is told, with the way out', async () => {
  const far = Array.from({ length: 20 }, (_, i): Access => ['L', BigInt(i + 1) << 32n, 8]);
  const { status, stdout, stderr } = await runCliApart(['compare', file('far.lackey', lackeyText(far))]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: --pages 1G: .*leave 1G out: --pages 4K,2M\n$/);
});

test('colours are for terminals, and NO_COLOR ends them', () => {
  const path = file('one.lackey', ' L 00001000,8\n');
  const colored = spawnCli(['compare', path], '', { NO_COLOR: '', FORCE_COLOR: '1' }).stdout;
  expect([colored.includes('\u001b['), spawnCli(['compare', path]).stdout.includes('\u001b[')]).toEqual([true, false]);
});

test('--profile says on standard error where the CPU time went, and changes nothing else', async () => {
  const workload = ['compare', '-w', 'zipf', '--footprint', '1M', '--accesses', '20k', '--csv', '-'];
  const plain = await runCliApart(workload);
  const profiled = await runCliApart([...workload, '--profile']);
  expect(profiled.stdout).toBe(plain.stdout);
  expect(plain.stderr).toBe('');
  for (const phase of ['reading the trace', 'translating, 4K pages', 'in all'])
    expect(profiled.stderr).toContain(phase);
});

/** A recording of pages far apart, round and round: with 4 KiB pages every access walks. */
async function recording(metadata: Partial<TraceMetadata>): Promise<string> {
  const path = join(folder, 'app.pwt');
  const accesses = Array.from({ length: 20_000 }, (_, i) => {
    return { kind: LOAD, address: 0x10_0000_0000n + BigInt((i * 7) % 5000) * 0x1000n, size: 8 };
  });
  const whole = { command: ['app'], tool: 't', skip: 0, limit: null, fetches: false, processes: 1, ...metadata };
  await writePacked(path, blocksOf(accesses), whole);
  return path;
}

test.each([
  ['whole', {}, 'yes', undefined],
  ['to its end after --skip', { skip: 5 }, 'yes', undefined],
  ['below its limit', { limit: 30_000 }, 'yes', undefined],
  ['cut by --limit', { limit: 20_000 }, 'none', 'cut'],
  ['cut by --limit on purpose', { limit: 20_000, windowChosen: true }, 'yes', undefined],
  ['of a program that left the emulator', { unseen: 1 }, 'none', 'unseen'],
  ['of four processes', { processes: 4 }, 'none', 'several-processes'],
])('a recording that is %s: table, JSON and CSV agree on the verdict', async (_, metadata, verdict, reason) => {
  const path = await recording(metadata);
  const csv = join(folder, 'out.csv');
  const result = await compareJson([path, '--pages', '4K,2M', '--csv', csv]);
  const [summary] = result.traces;
  expect([summary.verdict, summary.reason]).toEqual([verdict, reason]);
  expect(compareText(result).replaceAll('\n', ' ')).toContain(`Verdict: ${summary.advice}`);
  const [head, row] = readFileSync(csv, 'utf8')
    .split('\n')
    .map((line) => line.split(','));
  expect(['verdict', 'reason'].map((name) => row[head.indexOf(name)])).toEqual([verdict, reason ?? '']);
});

test('a sweep says, too, that several processes are counted as one', async () => {
  const args = ['sweep', await recording({ processes: 4 }), '--pages', '4K', '--l1', '64x4', '--l2', 'none'];
  expect((await runCliApart(args)).stdout).toContain('4 processes are in it, counted as one');
  const { rows } = JSON.parse((await runCliApart([...args, '--json'])).stdout) as SweepResult;
  expect(rows.map(({ processes, countedAsOne }) => [processes, countedAsOne])).toEqual([[4, 4]]);
});
