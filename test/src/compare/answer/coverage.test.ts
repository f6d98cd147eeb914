import { join } from 'node:path';
import { expect, it } from 'vitest';
import { coverage, instructionsOf } from '../../../../src/compare/answer/coverage.js';
import { AccessBlock, LOAD } from '../../../../src/trace/block.js';
import { openTrace } from '../../../../src/trace/node/open.js';
import { writePacked } from '../../../../src/trace/packed/packed-writer.js';
import type { RecordedTrace } from '../../../../src/trace/recorded.js';
import { temporaryFolder } from '../../../folder.js';

/** Two windows of 8 of a run of 80 accesses and 240 instructions, the second after a gap; read to the end. */
async function windows(): Promise<RecordedTrace> {
  async function* blocks(): AsyncGenerator<AccessBlock> {
    const block = new AccessBlock();
    for (block.window of [0, 40]) {
      for (let i = 0; i < 8; i++) block.push(LOAD, 0, 4096 * i, 8);
      yield await Promise.resolve(block);
      block.clear();
    }
  }
  const path = join(temporaryFolder(), 'x.pwt');
  const metadata = { command: ['x'], tool: 't', skip: 0, limit: null, fetches: false, window: 8 };
  const shell = { pid: 1, program: '/bin/sh', origin: 'command' as const, accesses: 8, threads: [], regions: [] };
  const python = { ...shell, program: '/bin/python3', origin: 'exec' as const, accesses: 72, residentBytes: 2 ** 20 };
  const facts = { accesses: 80, instructions: 240, processes: [shell, python], unseen: [] };
  await writePacked(path, blocks(), metadata, { facts: () => Promise.resolve(facts) });
  const trace = openTrace(path);
  let accesses = 0;
  for await (const { length } of trace) accesses += length;
  expect(accesses).toBe(16);
  return trace;
}

it('takes of the instructions of a run the part of the counted accesses', async () => {
  // Of 80 accesses 16 are in windows, and 2 of them warm up: 3 instructions for each of 14.
  expect(instructionsOf(await windows(), { data: 14, fetches: 0 }, undefined)).toEqual({ low: 42, high: 42 });
});

it('says what a recording shows of its run without the accesses that warm up, and of which programs', async () => {
  expect(coverage(await windows(), { data: 14, fetches: 0 }, 32768, undefined)).toEqual({
    accesses: 14,
    windows: 2,
    ofRun: 14 / 80,
    touchedBytes: 32768,
    residentBytes: 2 ** 20,
    processes: 2,
    programs: [
      { program: 'python3', addressSpaces: 1, share: 0.9 },
      { program: 'sh', addressSpaces: 1, share: 0.1 },
    ],
    countedAsOne: 1,
  });
});

it('does not say what share of a run was seen that nobody saw to its end', async () => {
  const cut = { skip: 0, accesses: 16, cut: true, chosen: false };
  expect(coverage(await windows(), { data: 14, fetches: 0 }, 32768, cut).ofRun).toBeNull();
});
