import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { openTrace } from '../../../../src/trace/node/open.js';
import { type Recording, type RecordOptions } from '../../../../src/trace/node/recorder.js';
import { recordWith } from './record-with.js';
import { collect } from '../blocks.js';
import { pathWithStandIn } from './valgrind-stand-in.js';

let folder: string;
let output: string;

beforeEach(() => {
  folder = temporaryFolder();
  output = join(folder, 'x.pwt');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function run(command: [string, ...string[]], options: Partial<RecordOptions> = {}): Promise<Recording> {
  return recordWith('valgrind', output, command, options);
}

describe('record, with a stand-in for valgrind', () => {
  beforeEach(() => {
    vi.stubEnv('PATH', pathWithStandIn(folder));
  });

  const addresses = async (): Promise<bigint[]> =>
    (await collect(openTrace(output, { fetches: true }))).map(({ address }) => address);
  const files = (): string[] => readdirSync(folder).filter((name) => name !== 'bin');

  it('packs data accesses, and tells command and tool in the trace', async () => {
    const recording = await run(['true']);
    expect(await addresses()).toEqual([0x10n, 0x20n, 0x30n, 0x40n, 0x50n]);
    expect(recording).toMatchObject({ counts: { accesses: 5 }, processes: 1, ending: { code: 0, signal: null } });
    const trace = openTrace(output);
    await collect(trace);
    const expected = { command: ['true'], tool: 'valgrind-0.0 lackey', skip: 0, limit: null, fetches: false };
    expect(trace.metadata).toEqual({ ...expected, engine: 'valgrind' });
    expect(trace.processes).toBe(1);
  });

  it('counts children in the trace, and programs that were replaced', async () => {
    expect((await run(['family'])).processes).toBe(4);
    const trace = openTrace(output);
    await collect(trace);
    expect(trace.processes).toBe(4);
  });

  it('keeps fetches when asked to', async () => {
    expect((await run(['true'], { fetches: true })).counts).toMatchObject({ accesses: 9, fetches: 4 });
  });

  it('passes over --skip accesses and kills the program at --limit', async () => {
    const recording = await run(['sleep', '100'], { skip: 1, limit: 3 });
    expect(await addresses()).toEqual([0x20n, 0x30n, 0x40n]);
    expect(recording.ending).toBe('stopped');
  });

  it('cuts windows out of what valgrind writes', async () => {
    const recording = await run(['thousand'], { windows: { length: 10, most: 4 } });
    expect(recording).toMatchObject({ counts: { accesses: 40 }, windows: { kept: 4, length: 10, gaps: 3 } });
  });

  it('says that beginning at a function needs QEMU', async () => {
    await expect(run(['true'], { startAt: 'main' })).rejects.toThrow('--start-at needs QEMU');
    await expect(run(['true'], { startAfter: 1 })).rejects.toThrow('--start-after needs QEMU');
  });

  it('says stopped also of a program that the closed pipe ended first', async () => {
    for (let i = 0; i < 5; i++) expect((await run(['endless'], { limit: 3 })).ending).toBe('stopped');
  });

  it('loses nothing of a thousand children that run at once', async () => {
    const recording = await run(['thousand']);
    expect(recording).toMatchObject({ counts: { accesses: 1000 }, processes: 1000, skippedLines: 0 });
    const pages = (await addresses()).map((address) => Number(address >> 12n)).sort((a, b) => a - b);
    expect(pages).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
  });

  it('tells how a failing program ended', async () => {
    expect((await run(['sh', '-c', 'exit 3'])).ending).toEqual({ code: 3, signal: null });
  });

  it('says so when the command cannot run, and writes nothing', async () => {
    await expect(run(['missing'])).rejects.toThrow("valgrind could not run 'missing' (exit code 127)");
    expect(files()).toEqual([]);
  });

  it('passes over and counts what else valgrind says', async () => {
    expect((await run(['odd'])).skippedLines).toBe(1);
    expect((await addresses()).length).toBe(5);
  });

  it('says so when --skip passes over everything, and writes nothing', async () => {
    await expect(run(['true'], { skip: 100 })).rejects.toThrow('fewer than --skip 100');
    expect(files()).toEqual([]);
  });

  it('kills the program when it is interrupted, and keeps what is there', async () => {
    const abort = new AbortController();
    // The program writes for as long as somebody reads: the first accesses say that it runs.
    const onProgress = (): void => {
      abort.abort();
    };
    const { ending, counts } = await run(['endless'], { onProgress, signal: abort.signal });
    expect(ending).toBe('interrupted');
    const trace = openTrace(output);
    expect(await collect(trace)).toHaveLength(counts.accesses);
    expect(trace.coverage?.ending).toBe('interrupted');
  });

  it('writes nothing when it is interrupted before the first access', async () => {
    await expect(run(['endless'], { signal: AbortSignal.abort() })).rejects.toThrow(
      'interrupted before the first access',
    );
    expect(files()).toEqual([]);
  });
});

it('says what to install when valgrind is missing', async () => {
  vi.stubEnv('PATH', folder);
  await expect(run(['true'])).rejects.toThrow('apt-get install valgrind');
});

function hasValgrind(): boolean {
  try {
    execFileSync('valgrind', ['--version']);
    return true;
  } catch {
    return false;
  }
}

it.runIf(hasValgrind())('records a real program and its children with the real valgrind', async () => {
  const recording = await run(['/bin/sh', '-c', '/bin/true; exit 4'], { fetches: true });
  expect(recording.ending).toEqual({ code: 4, signal: null });
  expect(recording.processes).toBe(2);
  expect(recording.counts.loads).toBeGreaterThan(10_000);
  expect(recording.counts.fetches).toBeGreaterThan(recording.counts.accesses / 2);
});
