import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { readCaches } from '../../../../src/host/calibrate/caches.js';
import { CompareResult } from '../../../../src/report/results/compare-result.js';
import { CalibrateResult } from '../../../../src/report/results/calibrate-result.js';
import { MachinePrices } from '../../../../src/report/results/prices.js';
import { temporaryFolder } from '../../../folder.js';
import { canTry } from '../../host/compiler.js';
import { linesOf, MADE_UP } from '../../host/calibrate/made-up-machine.js';
import { tooWide } from '../examples.js';
import { CLI_PATH, expectUsageError, spawnCli, type Outcome } from '../run-cli.js';

it.each([
  [
    ['calibrate', '--size', '32M'],
    ['--size', '64M or more'],
  ],
  [['calibrate', '--rounds', '0'], ['--rounds']],
])('%j is refused as wrong usage', (words, parts) => expectUsageError(words, parts));

describe.runIf(canTry && readCaches() !== undefined)('calibrate', () => {
  let folder: string;
  let environment: Record<string, string>;

  beforeEach(() => {
    folder = temporaryFolder();
    environment = { XDG_CACHE_HOME: join(folder, 'cache'), CC: join(folder, 'cc') };
  });

  /** A compiler whose program prints these lines, and then does as a shell is told. */
  function compileTo(lines: readonly string[], ending = 'exit 0'): void {
    writeFileSync(join(folder, 'program'), `#!/bin/sh\ncat '${join(folder, 'lines')}'\n${ending}\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'lines'), lines.map((line) => `${line}\n`).join(''));
    const script = `while [ "$1" != -o ]; do shift; done; cp '${join(folder, 'program')}' "$2"`;
    writeFileSync(environment.CC, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  const pagewalk = (...words: string[]): Outcome => spawnCli(['calibrate', '--size', '64M', ...words], '', environment);
  /** Walks and second-level hits take no time that could be told from noise: nothing has to be modelled. */
  const LINES = linesOf({ machine: { ...MADE_UP, hitNs: 1, walkNs: 1 } });
  /**
   * One array alone tells what walks take: each takes a while to model, the larger the longer. This is the least with
   * walks in made-up-machine.ts.
   */
  const LINES_WITH_WALKS = linesOf().filter((line) => {
    const [kind, pages, bytes] = line.split(' ');
    return kind !== 'independent' || pages !== '4K' || Number(bytes) < 2 ** 24 || Number(bytes) === 2 ** 26;
  });

  it('writes the prices of this host into the cache of its user, and shows them', () => {
    compileTo(LINES);
    const { status, stdout, stderr } = pagewalk();
    const path = join(folder, 'cache', 'pagewalk', `prices-${hostname()}.json`);
    expect([status, stderr]).toEqual([0, `written to ${path}; next: pagewalk compare TRACE\n`]);
    expect(tooWide(stdout)).toEqual([]);
    expect(stdout).toMatch(/^512 MiB +96 +95 /m);
    const prices = MachinePrices.partial().parse(JSON.parse(readFileSync(path, 'utf8')));
    expect(prices.host?.name).toBe(hostname());
    expect(prices.source).toMatch(
      /^pagewalk calibrate, \d{4}-\d\d-\d\d, 5 rounds: medians; half of the samples lie within 1% of them/,
    );
  });

  it('--json has the prices of the file and each figure with its spread; --plot draws the loads', () => {
    compileTo(LINES);
    const [file, plot] = [join(folder, 'here.json'), join(folder, 'loads.svg')];
    const { status, stdout } = pagewalk('-o', file, '--plot', plot, '--rounds', '1', '--json');
    expect(status).toBe(0);
    const { prices, figures } = CalibrateResult.parse(JSON.parse(stdout));
    expect(prices).toEqual(JSON.parse(readFileSync(file, 'utf8')));
    expect(prices.source).toMatch(/, 1 round: medians/);
    expect(figures.find(({ name }) => name === 'cycle')).toMatchObject({ ns: 0.25, samples: 3 });
    expect(readFileSync(plot, 'utf8')).toContain('2M, one after another');
  });

  it('knows what walks take with the TLB that it was given, and compare asks again for another alone', () => {
    compileTo(LINES_WITH_WALKS);
    const file = join(folder, 'here.json');
    expect(pagewalk('-o', file, '--tlb', 'zen3').status).toBe(0);
    const { walkFactor } = MachinePrices.partial().parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(walkFactor?.tlb).toBe('zen3');
    const used = (tlb: string): MachinePrices['walkFactor'] => {
      const trace = ['-w', 'chase', '--footprint', '64K', '--accesses', '1k'];
      const { stdout } = spawnCli(['compare', ...trace, '--costs', file, '--tlb', tlb, '--json']);
      return CompareResult.parse(JSON.parse(stdout)).prices.walkFactor;
    };
    expect(used('zen3')).toEqual(walkFactor);
    expect(used('skylake').tlb).toBe('skylake');
  }, 120_000);

  it.each<[string, readonly string[], string, string]>([
    [
      'huge pages were not to be had',
      linesOf({ huge: 2 ** 21 }),
      'exec sleep 1000',
      'only 2 MiB of 64 MiB came in huge pages',
    ],
    [
      'the program failed',
      LINES.slice(0, 20),
      'echo mmap: no >&2; exit 1',
      'the measuring program failed: exit code 1 mmap: no',
    ],
    ['the program was killed', LINES.slice(0, 20), 'kill -KILL $$', 'the measuring program failed: SIGKILL'],
    ['the program said too little', LINES.slice(0, 20), 'exit 0', "told nothing of 'dependent' with 2M pages"],
  ])('says so when %s, and writes nothing', (_, lines, ending, words) => {
    compileTo(lines, ending);
    const file = join(folder, 'here.json');
    const { status, stdout, stderr } = pagewalk('-o', file);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
    expect(existsSync(file)).toBe(false);
  });

  it('refuses arrays that do not fit into memory, and says what does', () => {
    compileTo(LINES);
    const { status, stderr } = spawnCli(['calibrate', '--size', '16T'], '', environment);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: --size: two arrays of 16 TiB take .* are free; give at most \d+M\n$/);
  });

  it('Ctrl-C ends it with nothing written', async () => {
    compileTo(LINES.slice(0, 20), `touch '${join(folder, 'waits')}'; exec sleep 1000`);
    const words = [CLI_PATH, 'calibrate', '--size', '64M', '-o', join(folder, 'here.json')];
    const child = spawn(process.execPath, words, { env: { ...process.env, ...environment } });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const closed = once(child, 'close');
    while (!existsSync(join(folder, 'waits'))) await pause(20);
    child.kill('SIGINT');
    expect(await closed).toEqual([130, null]);
    expect(text).toBe('interrupted; nothing was written\n');
    expect(readdirSync(folder)).not.toContain('here.json');
  });
});
