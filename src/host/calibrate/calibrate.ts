/** Measures this host by a small C program. */

import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { CalibrateFigure, CalibrateResult } from '../../report/results/calibrate-result.js';
import type { PricedHost } from '../../report/results/prices.js';
import { PRICES_VERSION } from '../../report/results/schema-version.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { countOf, formatBytes, formatShare } from '../../report/output/units.js';
import { readCaches, type CacheSizes } from './caches.js';
import { compiled } from '../compile.js';
import { Samples, spreadOf } from './figures.js';
import { CalibrateError, pricesOf } from './measured-prices.js';
import { loadNote, OtherLoad } from '../other-load.js';
import { packageFile } from '../package-file.js';
import { hugePageSystem, whyNoHugePages, type HugePageSystem } from '../thp.js';

const run = promisify(execFile);

export interface CalibrateOptions {
  /** Bytes of the largest array; there are two. */
  readonly size: number;
  readonly rounds: number;
  readonly host: PricedHost;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** The program's memory besides its two arrays, at most. */
const OTHER_BYTES = 96 * 2 ** 20;
/** So much of the array must really be in huge pages. */
const HUGE_SHARE = 0.9;
/** A figure with more variation than this is named. */
const MUCH = 0.1;

/** @throws CalibrateError with the way out */
function checkSystem(system: HugePageSystem, size: number): CacheSizes {
  const why = whyNoHugePages(system);
  if (why !== undefined) throw new CalibrateError(why);
  const { basePageBytes, hugePageBytes } = system;
  if (basePageBytes !== 2 ** 12 || hugePageBytes !== 2 ** 21) {
    const pages = `${formatBytes(basePageBytes)} and ${formatBytes(hugePageBytes)}`;
    throw new CalibrateError(`this system has pages of ${pages}; calibrate measures those of 4 KiB and 2 MiB`);
  }
  const needed = 2 * size + OTHER_BYTES;
  const available = process.availableMemory();
  if (needed > available) {
    const fits = 2 ** Math.floor(Math.log2(Math.max(1, (available - OTHER_BYTES) / 2 ** 21)));
    throw new CalibrateError(
      `--size: two arrays of ${formatBytes(size)} take ${formatBytes(needed)}, and ${formatBytes(available)} are free; give at most ${fits}M`,
    );
  }
  const caches = readCaches();
  if (caches === undefined) {
    throw new CalibrateError('this system does not say how large its caches are (/sys/devices/system/cpu/cpu0/cache)');
  }
  return caches;
}

/** True in a virtual machine, as far as it can be told. */
async function isVirtual(): Promise<boolean> {
  if (/^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))) return true;
  // It fails on bare metal, and if it is not installed.
  return run('systemd-detect-virt', ['--vm', '--quiet']).then(
    () => true,
    () => false,
  );
}

function checkHuge({ huge }: Samples, size: number): void {
  if (!(huge < HUGE_SHARE * size)) return;
  throw new CalibrateError(
    `only ${formatBytes(huge)} of ${formatBytes(size)} came in huge pages, since free memory lies in pieces; ` +
      'give a smaller --size, or as root: echo 1 > /proc/sys/vm/compact_memory',
  );
}

async function measure(program: string, options: CalibrateOptions): Promise<Samples> {
  const { size, rounds, onProgress, signal } = options;
  const child = spawn(program, [String(size), String(rounds)], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('close', (code, by) => {
      resolve(code === 0 ? undefined : `${by ?? `exit code ${code}`} ${errors.trim()}`.trim());
    });
  });
  const giveUp = (): void => {
    // Its end is not waited for while a child of its own has the pipes.
    child.kill();
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const samples = new Samples();
  try {
    for await (const line of createInterface({ input: child.stdout, signal })) {
      samples.add(line);
      checkHuge(samples, size);
      onProgress(samples.count, samples.planned);
    }
  } catch (error) {
    giveUp();
    throw error;
  }
  if (signal.aborted) giveUp();
  const why = await ended;
  if (why !== undefined)
    throw new CalibrateError(signal.aborted ? 'interrupted' : `the measuring program failed: ${why}`);
  return samples;
}

/**
 * Measures the cost of memory here.
 * @throws CalibrateError when it cannot be measured here, or the signal came
 * @throws CompileError when there is no compiler, or the cache cannot be written
 */
export async function calibrate(options: CalibrateOptions): Promise<CalibrateResult> {
  const caches = checkSystem(await hugePageSystem(), options.size);
  const path = packageFile('src/host/calibrate/calibrate.c');
  const program = await compiled({ path, kind: 'program', name: 'the measuring program' });
  const load = new OtherLoad();
  const began = performance.now();
  const samples = await measure(program, options);
  const seconds = (performance.now() - began) / 1000;
  const figures = samples.figures();
  const prices = pricesOf(figures, caches, await isVirtual());
  const busy = loadNote(load.processors(samples.cpu));
  const notes = [...varying(figures), ...(busy === undefined ? [] : [`${busy}.`])];
  const source = sourceOf(figures, options.rounds, busy);
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'calibrate',
    seconds,
    prices: { version: PRICES_VERSION, source, host: options.host, ...prices },
    figures,
    notes,
  };
}

function nameOf({ name, pages, bytes }: CalibrateFigure): string {
  return bytes === 0 ? name : `${name} ${pages} ${formatBytes(bytes)}`;
}

/** The source of the prices, and the variation of their figures. */
function sourceOf(figures: readonly CalibrateFigure[], rounds: number, busy: string | undefined): string {
  const spreads = figures.map(spreadOf).sort((a, b) => a - b);
  const usual = formatShare(spreads[spreads.length >> 1]);
  const worst = figures.reduce((most, figure) => (spreadOf(figure) > spreadOf(most) ? figure : most));
  const day = new Date().toISOString().slice(0, 10);
  return (
    `pagewalk calibrate, ${day}, ${countOf(rounds, 'round')}: medians; half of the samples lie within ${usual} of them, at worst ` +
    `within ${formatShare(spreadOf(worst))} (${nameOf(worst)})${busy === undefined ? '' : `; ${busy.split(';')[0]}`}`
  );
}

function varying(figures: readonly CalibrateFigure[]): string[] {
  const much = figures.filter((figure) => spreadOf(figure) > MUCH);
  if (much.length === 0) return [];
  const names = much.slice(0, 3).map((figure) => `${nameOf(figure)} (${formatShare(spreadOf(figure))})`);
  const more = much.length > 3 ? ` and ${much.length - 3} more` : '';
  return [`these vary by more than ${formatShare(MUCH)}: ${names.join(', ')}${more}.`];
}
