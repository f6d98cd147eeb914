import { expect, it } from 'vitest';
import { demoStateInput } from '../../../../src/explain/demo-states.js';
import { readLink, writeLink } from '../../../../web/story/link.js';
import { readStateText, writeStateText } from '../../../../web/translate/machines/state-text.js';

it("a machine's state comes out of a link as it went in, whatever its letters", () => {
  const state = { ...demoStateInput('4l'), about: 'Größe ≠ 0 ÿ??>>' };
  const text = writeStateText(state);
  expect(text).toMatch(/^[\w-]+$/);
  expect(readStateText(text)).toEqual(state);
  const link = writeLink({ view: 'translate', settings: { state: text }, events: ['read.user.0x0'], at: undefined });
  expect(readLink(link).settings).toEqual({ state: text });
});

it('#state= alone is the translate view with that machine', () => {
  expect(readLink('#state=abc&at=1.1')).toMatchObject({ view: 'translate', settings: { state: 'abc' } });
});

it.each(['', '%', 'AAAA', 'e30=x'])('text that is no state is refused with a sentence: %s', (text) => {
  expect(() => readStateText(text)).toThrow("the link's state is no machine");
});
