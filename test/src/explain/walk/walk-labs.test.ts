import { expect, test } from 'vitest';
import { highWord, lowWord } from '../../../../hw/base/address.js';
import { playScene, SceneError, sceneText } from '../../../../src/explain/scene.js';
import type { AccessKind } from '../../../../src/explain/machine-state.js';
import { WALK_LABS } from '../../../../src/explain/walk/walk-labs.js';
import { explainWalk } from '../../../../src/explain/walk/walk.js';
import type { WalkResult } from '../../../../src/explain/walk/walk-result.js';
import type { Lab } from '../../../../src/lab/story.js';

function lab(name: string): Lab {
  return WALK_LABS.find((candidate) => candidate.name === name)!;
}

interface Asked {
  readonly access: AccessKind;
  readonly step?: number;
  readonly pid?: number;
}

function walk(name: string, address: number, { access, step, pid }: Asked): WalkResult {
  const { stage } = playScene(lab(name), step, pid);
  return explainWalk(stage.mmu, { hi: highWord(address), lo: lowWord(address), access, user: true });
}

const FORKED = 0x40_0000;

test('after fork a page that is still shared may be read and not written', () => {
  expect(walk('fork', FORKED, { access: 'read', step: 2 }).outcome.kind).toBe('mapped');
  expect(walk('fork', FORKED, { access: 'write', step: 2 }).outcome).toMatchObject({ kind: 'fault', errorCode: 7 });
});

test('each process is walked through its own tables: the child has a copy, the parent waits for its write', () => {
  expect(walk('fork', FORKED, { access: 'write', step: 3, pid: 2 }).outcome.kind).toBe('mapped');
  expect(walk('fork', FORKED, { access: 'write', step: 3, pid: 1 }).outcome).toMatchObject({ errorCode: 7 });
  expect(walk('fork', FORKED, { access: 'write', step: 4, pid: 1 }).outcome.kind).toBe('mapped');
});

test('memory that was never touched has no entry', () => {
  expect(walk('demand', 0x60_3000, { access: 'read' }).outcome).toMatchObject({ kind: 'fault', errorCode: 4 });
});

test('a huge page is one entry, and a split one 512', () => {
  expect(walk('huge', 0x80_0000, { access: 'read' }).outcome).toMatchObject({ page: '2M' });
  expect(walk('huge', 0xa0_1000, { access: 'write' }).outcome).toMatchObject({ page: '4K' });
  expect(walk('huge', 0xa0_0000, { access: 'write' }).outcome).toMatchObject({ kind: 'fault', errorCode: 7 });
});

test("the chapter's mistake is to be seen in its page tables: C's frame belongs to D, too", () => {
  const frames = [3, 4].map((pid) => walk('mistakes', 0x1000, { access: 'read', step: 1, pid }).outcome);
  expect(frames[0]).toEqual(frames[1]);
  const right = [3, 4].map((pid) => walk('mistakes', 0x1000, { access: 'read', step: 2, pid }).outcome);
  expect(right[0]).not.toEqual(right[1]);
});

// One lab forks 4 GiB, which takes a while; its machine at the end is like that of the others.
const MOST = WALK_LABS.filter(({ name }) => !['fork-cost', 'multics'].includes(name));

test.each(MOST.map(({ name }) => name))('lab %s leaves page tables whose regions can be walked', (name) => {
  const scene = playScene(lab(name));
  expect(scene.running).toBeDefined();
  expect(sceneText(scene)).toContain(`process ${scene.running!.pid} *`);
  for (const { start } of scene.running!.regions) {
    const { levels } = explainWalk(scene.stage.mmu, {
      hi: highWord(start),
      lo: lowWord(start),
      access: 'read',
      user: true,
    });
    expect(levels.length).toBeGreaterThan(1);
  }
});

test.each<[string, number | undefined, number | undefined, string]>([
  ['multics', undefined, undefined, 'lab multics works with segments alone'],
  ['fork', 9, undefined, '--step 9: lab fork has 5 steps; give 1 to 5'],
  ['fork', 5, undefined, 'choose from steps 1 to 4'],
  ['libc', 5, undefined, 'choose from steps 1 to 4, 6'],
  ['editors', 2, undefined, 'leave --step out for those at its end'],
  ['fork', 1, 2, '--process 2: no such process lives at this point of lab fork; choose from 1'],
])('%s after step %s, process %s, is refused with what there is', (name, step, pid, message) => {
  const refusal: unknown = expect.objectContaining({
    name: SceneError.name,
    message: expect.stringContaining(message) as unknown,
  });
  expect(() => playScene(lab(name), step, pid)).toThrow(refusal);
});
