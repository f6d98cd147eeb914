import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { FETCH, LOAD } from '../../../../src/trace/block.js';
import type { ProcessOrigin } from '../../../../src/trace/coverage.js';
import { openTrace } from '../../../../src/trace/node/open.js';
import { writePacked } from '../../../../src/trace/packed/packed-writer.js';
import { blocksOf, collect } from '../blocks.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

function file(content: string | Uint8Array, name = 'trace'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const processOf = (pid: number, origin: ProcessOrigin) => ({
  pid,
  program: '/bin/true',
  origin,
  threads: [],
  regions: [],
});

const TEXT = Array.from(
  { length: 30_000 },
  (_, i) => ` L ${(i * 24).toString(16).padStart(8, '0')},8\nI  400,3\n`,
).join('');

describe('openTrace', () => {
  it('reads gzip by its content, whatever the name', async () => {
    const trace = openTrace(file(gzipSync(TEXT), 'odd.name'));
    expect((await collect(trace)).length).toBe(30_000);
    expect(trace.name).toBe('odd.name');
    expect(trace.counts).toMatchObject({ accesses: 30_000, loads: 30_000, droppedFetches: 30_000, skippedLines: 0 });
  });

  it('delivers fetches, in their place, when they are asked for', async () => {
    const trace = openTrace(file(TEXT), { fetches: true });
    expect((await collect(trace)).slice(0, 3).map(({ kind }) => kind)).toEqual([LOAD, FETCH, LOAD]);
    expect(trace.counts).toMatchObject({ accesses: 60_000, fetches: 30_000, droppedFetches: 0 });
  });

  it('reads gzip of several members, as pigz and cat make it', async () => {
    const path = file(Buffer.concat([gzipSync(' L 10,8\n'), gzipSync(' L 20,8\n')]));
    expect((await collect(openTrace(path))).map(({ address }) => address)).toEqual([0x10n, 0x20n]);
  });

  it('reads a gzipped packed trace', async () => {
    const packed = join(folder, 'x.pwt');
    const accesses = [{ kind: LOAD, address: 64n, size: 8 }];
    await writePacked(packed, blocksOf(accesses), { command: ['x'], tool: 't', skip: 0, limit: 1, fetches: false });
    expect(await collect(openTrace(file(gzipSync(readFileSync(packed)))))).toEqual(accesses);
  });

  it.each([
    ['where nothing tells', undefined, 'unknown'],
    ['of three that are mixed', { mixed: 3 }, 3],
    ['that are told apart', { processes: [processOf(1, 'command'), processOf(2, 'fork'), processOf(2, 'exec')] }, 2],
  ])('knows how many processes there are: %s', async (_, facts, known) => {
    const packed = join(folder, 'x.pwt');
    const metadata = { command: ['x'], tool: 't', skip: 0, limit: null, fetches: false };
    await writePacked(packed, blocksOf([{ kind: 1, address: 64n, size: 8 }]), metadata, {
      facts: () => Promise.resolve({ processes: [], unseen: [], ...facts }),
    });
    const trace = openTrace(packed);
    await collect(trace);
    expect([trace.processes, trace.metadata]).toEqual([known, metadata]);
  });

  it.each([
    ['==7== Lackey, an example\n L 10,8\n', 'unknown'],
    ['==7== Lackey, an example\n L 10,8\n==8== Lackey, an example\n L 10,8\n', 2],
  ])('knows of lackey text %j only that there are several processes', async (text, known) => {
    const trace = openTrace(file(text));
    await collect(trace);
    expect(trace.processes).toBe(known);
  });

  it('reads a trace twice with the same counts', async () => {
    const trace = openTrace(file(TEXT));
    await collect(trace);
    await collect(trace);
    expect(trace.counts.accesses).toBe(30_000);
  });

  it('reads standard input for -', async () => {
    const code = `import { openTrace } from ${JSON.stringify(new URL('../../../../dist/src/trace/node/open.js', import.meta.url).href)};
      const trace = openTrace('-'); for await (const block of trace); console.log(trace.name, trace.counts.loads);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(gzipSync(TEXT));
    let output = '';
    for await (const chunk of child.stdout) output += String(chunk);
    expect(output).toBe('standard input 30000\n');
  });

  it('names the byte where gzip data was cut', async () => {
    const whole = gzipSync(TEXT);
    const path = file(whole.subarray(0, whole.length >> 1));
    await expect(collect(openTrace(path))).rejects.toThrow(
      `trace: byte ${whole.length >> 1}: the gzip data ends early`,
    );
  });

  it('reads cut gzip data as far as it goes when lenient', async () => {
    const whole = gzipSync(TEXT);
    const trace = openTrace(file(whole.subarray(0, whole.length >> 1)), { lenient: true });
    const accesses = await collect(trace);
    expect(accesses.length).toBeGreaterThan(5000);
    expect(accesses.every(({ address }, i) => address === BigInt(i * 24))).toBe(true);
    expect(trace.counts.skippedLines).toBeLessThanOrEqual(1);
  });

  it('names a byte before damaged gzip data', async () => {
    const damaged = gzipSync(TEXT);
    damaged.fill(0xff, damaged.length >> 1, (damaged.length >> 1) + 40);
    await expect(collect(openTrace(file(damaged)))).rejects.toThrow(
      /^trace: byte \d+: the gzip data after here is damaged/,
    );
  });

  it.each([
    ['an empty file', '', 'expected data accesses, found none'],
    ['words of valgrind alone', '==1== Lackey\n', 'expected data accesses, found none'],
    ['fetches alone', 'I  400,3\n', 'found only 1 instruction fetches, which --fetches would include'],
    ['an xz file', Buffer.from('fd377a585a00', 'hex'), 'found xz data; unpack it first'],
  ])('refuses %s', async (_, content, expected) => {
    await expect(collect(openTrace(file(content)))).rejects.toThrow(expected);
  });

  it('counts skipped lines of lenient reading', async () => {
    const trace = openTrace(file(`hello\n${TEXT}`), { lenient: true });
    await collect(trace);
    expect(trace.counts.skippedLines).toBe(1);
  });

  it('lets go of the file when its reader stops early', async () => {
    for await (const block of openTrace(file(gzipSync(TEXT)))) {
      expect(block.length).toBeGreaterThan(0);
      break;
    }
  });

  it("passes the file system's error on", async () => {
    await expect(collect(openTrace(join(folder, 'missing')))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
