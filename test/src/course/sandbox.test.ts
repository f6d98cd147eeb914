import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stepPrograms } from '../../../src/course/grade.js';
import type * as sandboxModule from '../../../src/course/sandbox.js';
import type { Sandbox } from '../../../src/course/sandbox.js';
import { COURSE_STEPS } from '../../../src/course/steps.js';
import { temporaryFolder } from '../../folder.js';
import { solutionText } from './solution.js';

// As built: the process of a handler has a file of its own.
const built = (await import(
  new URL('../../../dist/src/course/sandbox.js', import.meta.url).href
)) as typeof sandboxModule;
const [program] = stepPrograms(COURSE_STEPS[0], 'x86', 1);

/** A sandbox for a right handler: each process of it waits first, without using the processor. */
function sandboxOf(waitMilliseconds: number, seconds: number): Sandbox {
  const wait = `let waits = 1;\nconst cell = new Int32Array(new SharedArrayBuffer(4));\n`;
  const waiting = `if (waits-- > 0) Atomics.wait(cell, 0, 0, ${waitMilliseconds});`;
  const text = wait + solutionText('x86').replace(/export function walk\([^]*?\{\n/, (head) => `${head}${waiting}\n`);
  const handler = join(temporaryFolder(), 'handler.mjs');
  writeFileSync(handler, text);
  return new built.Sandbox(handler, { seconds, mebibytes: 64 });
}

it('a handler has its limit in CPU time: one that others kept waiting is run again, and longer', async () => {
  const sandbox = sandboxOf(300, 0.1);
  expect(await sandbox.run(program)).toBeUndefined();
  sandbox.close();
});

it('a machine too busy for a handler is named, and not its handler', async () => {
  const sandbox = sandboxOf(60_000, 0.05);
  const finding = await sandbox.run(program);
  expect([finding?.kind, finding?.what]).toEqual(['stopped', expect.stringMatching(/^it was ended: .* too busy/)]);
});
