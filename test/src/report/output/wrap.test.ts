import { expect, test } from 'vitest';
import { wrap } from '../../../../src/report/output/wrap.js';

test('text breaks between words, later lines are indented', () => {
  expect(wrap('one two three four', '  ', 9)).toBe('one two\n  three\n  four');
});

test('a word longer than a line stays whole', () => {
  expect(wrap('a very-long-word b', '', 6)).toBe('a\nvery-long-word\nb');
});

test('text that fits stays as it is, and spaces before the first word stay in any case', () => {
  expect(wrap('   a  b', '', 7)).toBe('   a  b');
  expect(wrap('  one two three', '    ', 9)).toBe('  one two\n    three');
});
