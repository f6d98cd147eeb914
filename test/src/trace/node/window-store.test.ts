import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keptWindows } from '../../../../src/trace/node/window-store.js';
import { AccessBlock, LOAD } from '../../../../src/trace/block.js';
import { keepsWindow } from '../../../../src/trace/windows.js';
import { temporaryFolder } from '../../../folder.js';

interface Turn {
  readonly window: number;
  readonly process: number;
  readonly thread: number;
  readonly length: number;
}

async function* turnsOf(turns: readonly Turn[]): AsyncGenerator<AccessBlock> {
  const block = new AccessBlock();
  let number = 0;
  for (const { length, ...place } of turns) {
    block.clear();
    Object.assign(block, place);
    for (let i = 0; i < length; i++) block.push(LOAD, 1, number++, 8);
    yield await Promise.resolve(block);
  }
}

/** Every access with its place and kinds counted. */
async function listed(blocks: AsyncIterable<AccessBlock>): Promise<string[]> {
  const found: string[] = [];
  for await (const block of blocks) {
    expect(block.kinds[LOAD]).toBe(block.length);
    for (let i = 0; i < block.length; i++) {
      found.push(`${block.window} ${block.process} ${block.thread} ${block.addressLo(i)} ${block.size(i)}`);
    }
  }
  return found;
}

test('the windows that stay come as they were, whatever went before and between them', async () => {
  const folder = temporaryFolder();
  const plan = { from: 0, length: 100, most: 4 };
  const turn = fc.record({ process: fc.nat(2), thread: fc.nat(2), length: fc.integer({ min: 1, max: 9 }) });
  let file = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(turn, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 13 }),
      async (windows) => {
        const run = windows.flatMap((window, i) => window.map((one) => ({ ...one, window: 100 * i })));
        const turns = run.filter(({ window }) => keepsWindow(plan, window, window));
        const newest = turns.at(-1)!.window;
        const all = await listed(turnsOf(turns));
        const staying = all.filter((access) => keepsWindow(plan, parseInt(access), newest));
        const path = join(folder, `windows-${file++}`);
        expect(await listed(keptWindows(turnsOf(turns), () => plan, path))).toEqual(staying);
      },
    ),
    { numRuns: 30 },
  );
});

test('windows longer than what is written at once come whole, and all of them without a plan', async () => {
  const turns = [16_000, 16_384, 16_384, 16_384, 16_384, 5].map((length, i) => ({
    window: i < 5 ? 0 : 1,
    process: 0,
    thread: 0,
    length,
  }));
  const path = join(temporaryFolder(), 'windows');
  const found = await listed(keptWindows(turnsOf(turns), () => undefined, path));
  expect(found).toEqual(await listed(turnsOf(turns)));
  expect(existsSync(path)).toBe(true);
});
