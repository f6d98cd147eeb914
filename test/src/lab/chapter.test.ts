import { describe, expect, it } from 'vitest';
import { claims, figureOf, says } from '../../../src/lab/chapter/words.js';

describe('words of the chapter', () => {
  it.each([
    ['~262,144', 262144],
    ['512 KB', 524288],
    ['10MB', 10485760],
    ['1 copy', 1],
    ['one', 1],
    ['0x7F3A_BC00_0000', '0x7f3abc000000'],
    ['0x00400000', '0x400000'],
    ['ALLOCATION_FAILED', 'ALLOCATION_FAILED'],
  ])('%s are the figure %s', (words, figure) => {
    expect(figureOf(words)).toBe(figure);
  });

  it('give their reason only where the machine does otherwise', () => {
    const limit = says(
      '{ .base = 0x10000000, .limit = 524288, .perms = R_X, .shared = true }',
      '524288',
      'it counts from 0',
    );
    expect(limit.cell(524287)).toMatchObject({ says: '524288', agrees: false, because: 'it counts from 0' });
    expect(limit.cell(524288)).not.toHaveProperty('because');
    expect(claims('All or nothing', false, 'why').cell(1)).toMatchObject({ agrees: false, because: 'why' });
  });
});
