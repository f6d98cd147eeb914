import { expect, it } from 'vitest';
import { STEP_WHY, whyLines } from '../../../src/explain/step-why.js';
import { TOY_PRESETS } from '../../../src/explain/toy/toy-presets.js';
import { buildToy, parseToyState } from '../../../src/explain/toy/toy-state.js';
import { explainToyWalk } from '../../../src/explain/toy/toy-walk.js';

it.each(Object.entries(STEP_WHY))('says why of %s in two or three sentences', (_, words) => {
  const sentences = words.split(/(?<=\.) /);
  expect([2, 3]).toContain(sentences.length);
  for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z].*\.$/);
});

it('says it once for steps of one kind, in lines that fit a terminal', () => {
  const lines = whyLines([{ kind: 'read' }, { kind: 'set' }, { kind: 'read' }]);
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['read', 'set']);
  expect(lines.flatMap((line) => line.split('\n')).filter((line) => line.length > 80)).toEqual([]);
});

it.each([
  ['segments', 0x1068, ['split', 'segment', 'sum']],
  ['segments', 0x1c68, ['split', 'segment', 'fault']],
  ['csapp', 0x3d4, ['split', 'hit', 'walked']],
  ['multi-level', 0x3f80, ['split', 'read', 'read', 'walked']],
])('tells a toy machine %s what its steps are', (preset, address, kinds) => {
  const machine = buildToy(parseToyState(TOY_PRESETS[preset]));
  const { steps, result } = explainToyWalk(machine, '', { address, access: 'read', user: true });
  expect(steps.map(({ kind }) => kind)).toEqual(kinds);
  expect(steps.map(({ text }) => text)).toEqual(result.steps);
});
