import { lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { AccessBlock, FETCH, LOAD, STORE } from '../../../../src/trace/block.js';
import { openTrace } from '../../../../src/trace/node/open.js';
import { CRC_BYTES, crc32, END_BYTES } from '../../../../src/trace/packed/packed-format.js';
import type { TraceFacts } from '../../../../src/trace/packed/metadata.js';
import { writePacked } from '../../../../src/trace/packed/packed-writer.js';
import { TraceError } from '../../../../src/trace/trace-error.js';
import { anyAccess, blocksOf, collect, type Access } from '../blocks.js';
import { runs } from '../../../runs.js';

const METADATA = { command: ['true', 'ü'], tool: 'test', skip: 3, limit: null, fetches: true };

let folder: string;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'x.pwt');
});

const read = (): Promise<Access[]> => collect(openTrace(path, { fetches: true }));

/** A few thousand accesses with streams, repetition and jumps. */
function program(count: number): Access[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: i % 3 === 0 ? STORE : LOAD,
    address: i % 5 === 0 ? BigInt(i * 64) + 0x4000000n : 0x1ffeff0000n - BigInt((i * 7919) % 512) * 8n,
    size: 1 << (i % 4),
  }));
}

interface Turn {
  readonly process: number;
  readonly thread: number;
  readonly window: number;
  readonly length: number;
}

/** Loads of threads in turns, one block a turn. */
async function* turnsOf(turns: readonly Turn[]): AsyncGenerator<AccessBlock> {
  const block = new AccessBlock();
  for (const { length, ...place } of turns) {
    Object.assign(block, place);
    for (let i = 0; i < length; i++) block.push(LOAD, 0, 64 * i, 8);
    yield await Promise.resolve(block);
    block.clear();
  }
}

describe('the packed format', () => {
  it('gives back any accesses exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyAccess, { minLength: 1, maxLength: 300 }), async (accesses) => {
        await writePacked(path, blocksOf(accesses, 7), METADATA);
        expect(await read()).toEqual(accesses);
      }),
      { numRuns: runs(60) },
    );
  });

  it('gives back accesses of many blocks, with the counts and the metadata', async () => {
    const accesses = program(150_000);
    const counts = await writePacked(path, blocksOf(accesses), METADATA);
    const trace = openTrace(path, { fetches: true });
    expect(await collect(trace)).toEqual(accesses);
    expect(trace.metadata).toEqual(METADATA);
    expect(trace.counts).toMatchObject({ accesses: 150_000, loads: 100_000, stores: 50_000, fetches: 0 });
    expect(counts).toEqual(trace.counts);
  });

  it('takes more kinds and sizes than there are operation numbers', async () => {
    const accesses = Array.from({ length: 3000 }, (_, i) => ({ kind: i % 4, address: 64n, size: 1 + (i % 1000) }));
    await writePacked(path, blocksOf(accesses), METADATA);
    expect(await read()).toEqual(accesses);
  });

  it('takes less than a byte an access for a program that repeats itself', async () => {
    await writePacked(path, blocksOf(program(50_000)), METADATA);
    expect(readFileSync(path).length).toBeLessThan(50_000);
  });

  it('names the byte where a file was cut, wherever that is', async () => {
    await writePacked(path, blocksOf(program(60)), METADATA);
    const whole = readFileSync(path);
    for (let length = 4; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const error = await read().catch((e: unknown) => e);
      expect(error).toBeInstanceOf(TraceError);
      expect((error as TraceError).message).toContain(`x.pwt: byte ${length}: the file ends early`);
    }
  });

  it('finds any byte that was changed', async () => {
    await writePacked(path, blocksOf(program(60)), METADATA);
    const whole = readFileSync(path);
    for (let offset = 0; offset < whole.length; offset++) {
      const damaged = Buffer.from(whole);
      damaged[offset] ^= 1 + (offset % 255);
      writeFileSync(path, damaged);
      await expect(read(), `byte ${offset}`).rejects.toThrow(TraceError);
    }
  });

  it('refuses bytes after the end', async () => {
    await writePacked(path, blocksOf(program(10)), METADATA);
    const { length } = readFileSync(path);
    writeFileSync(path, 'more', { flag: 'a' });
    await expect(read()).rejects.toThrow(`byte ${length}: expected nothing after the end record`);
  });

  it.each([
    ['fetches', 1],
    ['loads', 9],
    ['stores', 17],
    ['modifies', 25],
  ])('refuses an end record that tells of more %s than there are', async (_what, at) => {
    await writePacked(path, blocksOf(program(10)), METADATA);
    const bytes = readFileSync(path);
    const record = bytes.subarray(bytes.length - END_BYTES);
    record[at] += 5;
    record.writeUInt32LE(crc32(record.subarray(0, END_BYTES - CRC_BYTES)), END_BYTES - CRC_BYTES);
    writeFileSync(path, bytes);
    await expect(read()).rejects.toThrow(
      `expected the ${record[at]} accesses that it tells of, found ${record[at] - 5}`,
    );
  });

  it('says so when the version is of the future', async () => {
    await writePacked(path, blocksOf(program(10)), METADATA);
    const bytes = readFileSync(path);
    bytes[4] = 9;
    writeFileSync(path, bytes);
    await expect(read()).rejects.toThrow('expected format version 1 to 2, found 9');
  });

  it('gives back the turns of threads and processes, and the windows, in their order', async () => {
    const place = fc.record({ process: fc.nat(300), thread: fc.nat(3), length: fc.integer({ min: 1, max: 40 }) });
    const windows = fc.array(fc.array(place, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(windows, async (turns) => {
        const given = turns.flatMap((window, i) => window.map((turn) => ({ ...turn, window: 1000 * i + 7 })));
        await writePacked(path, turnsOf(given), METADATA);
        const found: string[] = [];
        for await (const block of openTrace(path, { fetches: true })) {
          const place = `${block.window} ${block.process} ${block.thread}`;
          found.push(...Array.from({ length: block.length }, () => place));
        }
        const expected = given.flatMap(({ window, process, thread, length }) =>
          Array.from({ length }, () => `${window} ${process} ${thread}`),
        );
        expect(found).toEqual(expected);
      }),
      { numRuns: runs(30) },
    );
  });

  it('gives back the facts of the run', async () => {
    const region = { start: 4096, end: 8192, permissions: 'rw-p', name: '', offset: 0, pageBytes: 4096 };
    const facts: TraceFacts = {
      accesses: 12345,
      instructions: 54321,
      ending: { code: 3, signal: null },
      processes: [
        {
          pid: 7,
          program: '/bin/ü',
          origin: 'command',
          accesses: 12345,
          threads: [{ tid: 7, name: 'main' }],
          regions: [{ ...region, advice: 'none', residentBytes: 0, cameAt: 5, wentAt: null }],
        },
      ],
      unseen: ['/bin/su'],
    };
    await writePacked(path, blocksOf(program(10)), METADATA, { facts: () => Promise.resolve(facts) });
    const trace = openTrace(path, { fetches: true });
    await collect(trace);
    expect(trace.coverage).toMatchObject({
      accesses: 10,
      runAccesses: 12345,
      instructions: 54321,
      ending: { code: 3, signal: null },
      processes: [{ ...facts.processes[0], recorded: 10 }],
      unseen: ['/bin/su'],
    });
  });

  it('leaves nothing behind, and an old file as it was, when the accesses fail to come', async () => {
    writeFileSync(path, 'old');
    async function* failing(): ReturnType<typeof blocksOf> {
      yield* blocksOf(program(100_000));
      throw new Error('the program is gone');
    }
    await expect(writePacked(path, failing(), METADATA)).rejects.toThrow('the program is gone');
    expect(readdirSync(folder)).toEqual(['x.pwt']);
    expect(readFileSync(path, 'utf8')).toBe('old');
  });

  it('writes no file without accesses', async () => {
    await expect(writePacked(path, blocksOf([]), METADATA)).rejects.toThrow('no accesses');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('writes to the file that a symbolic link names', async () => {
    writeFileSync(join(folder, 'real'), '');
    symlinkSync(join(folder, 'real'), path);
    await writePacked(path, blocksOf(program(10)), METADATA);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(await read()).toEqual(program(10));
  });

  it('leaves fetches out unless they are asked for', async () => {
    const data = { kind: LOAD, address: 8n, size: 8 };
    await writePacked(path, blocksOf([{ kind: FETCH, address: 0n, size: 4 }, data]), METADATA);
    const trace = openTrace(path);
    expect(await collect(trace)).toEqual([data]);
    expect(trace.counts).toMatchObject({ accesses: 1, fetches: 0, droppedFetches: 1 });
  });
});

it('crc32 is the one of gzip: the check value of its catalogue', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});
