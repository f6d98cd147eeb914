import { describe, expect, it } from 'vitest';
import { CHAPTER } from '../../../src/lab/chapter/sentences.js';
import { claims, figureOf, says } from '../../../src/lab/chapter/words.js';
import { LABS } from '../../../src/lab/labs.js';
import { runLab } from '../../../src/lab/story.js';

const results = LABS.map((lab) => runLab(lab));
const cells = results.flatMap(({ name, chapter, figures }) =>
  Object.entries(chapter).map(([key, cell]) => ({ where: `${name}.${key}`, measured: figures[key], ...cell })),
);
const sentences: readonly string[] = Object.values(CHAPTER).flat();

/** Words a claim is told from a figure by: a figure is less than its sentence, or is one number. */
function isFigure({ says: words, sentence }: { readonly says: string; readonly sentence: string }): boolean {
  return words !== sentence || /^0x[\dA-F_]+$/.test(words);
}

describe('what the labs say that the chapter says', () => {
  it('is a sentence of the chapter, from its section', () => {
    for (const { where, sentence, section } of cells) {
      expect([where, (CHAPTER as Record<string, readonly string[]>)[section]]).toEqual([
        where,
        expect.arrayContaining([sentence]),
      ]);
    }
  });

  it('shows words of that sentence', () => {
    expect(cells.filter(({ says: words, sentence }) => !sentence.includes(words))).toEqual([]);
  });

  it('agrees exactly where the figure of those words was measured', () => {
    const figures = cells.filter(isFigure);
    expect(figures.length).toBeGreaterThan(30);
    for (const { where, measured, agrees, says: words } of figures) {
      expect([where, agrees]).toEqual([where, figureOf(words) === measured]);
    }
  });

  it('has a reason wherever the machine does otherwise', () => {
    const differing = cells.filter(({ agrees }) => !agrees);
    expect(differing.map(({ where }) => where).sort()).toEqual([
      'aslr-segments.copiesWithRandomSelectors',
      'editors.limitOfCode',
      'false-sharing.largerPagesForeignBytes',
      'fork-cost.entriesSparse',
      'mistakes.bytesLostAsWritten',
      'mistakes.copyAsWritten',
      'mistakes.descriptorsUncounted',
      'mistakes.liveFrameFreed',
    ]);
    for (const { because } of differing) expect(because).toBeTruthy();
  });

  it('leaves no sentence of the list without a lab', () => {
    const used = new Set(cells.map(({ sentence }) => sentence));
    expect(sentences.filter((sentence) => !used.has(sentence))).toEqual([]);
  });
});

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
