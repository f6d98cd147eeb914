import { expect, it } from 'vitest';
import { STEP_WHY, whyLines } from '../../../src/explain/step-why.js';

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
