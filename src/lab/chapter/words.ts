/** The words of the chapter as a standard for a measured figure: its numbers are compared, its claims are tried. */

import type { ChapterCell, Figure } from '../../report/results/lab-result.js';
import { CHAPTER } from './sentences.js';
import type { Sentence } from './sentences.js';

const UNITS: Readonly<Record<string, number>> = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };
const NUMERALS: Readonly<Record<string, number>> = { one: 1, two: 2 };

/** The figure that words of the chapter give: `~262,144`, `512 KB`, `1 copy`, `one`, `0x7F3A_BC00_0000`. */
export function figureOf(words: string): Figure {
  if (/^0x[\da-f_]+$/i.test(words)) return `0x${BigInt(words.replaceAll('_', '')).toString(16)}`;
  const number = /^~?([\d,]+) ?(\w*)$/.exec(words);
  if (number !== null) return Number(number[1].replaceAll(',', '')) * (UNITS[number[2]] ?? 1);
  return NUMERALS[words] ?? words;
}

function sectionOf(sentence: Sentence): string {
  const found = Object.entries(CHAPTER).find(([, list]) => (list as readonly string[]).includes(sentence));
  if (found === undefined) throw new RangeError(`the chapter does not say '${sentence}'`);
  return found[0];
}

/** Words of the chapter, and whether a measured figure agrees with them. */
export class ChapterWords {
  /** @param because why the machine does otherwise, if it does */
  constructor(
    private readonly sentence: Sentence,
    private readonly words: string,
    private readonly agrees: (measured: Figure) => boolean,
    private readonly because?: string,
  ) {}

  cell(measured: Figure): ChapterCell {
    const { sentence, words, because } = this;
    const agrees = this.agrees(measured);
    const reason = agrees || because === undefined ? {} : { because };
    return { says: words, sentence, section: sectionOf(sentence), agrees, ...reason };
  }
}

/**
 * The chapter gives a figure.
 * @param words the figure as it stands in the sentence
 * @param because why the machine has another one
 */
export function says(sentence: Sentence, words: string, because?: string): ChapterWords {
  return new ChapterWords(sentence, words, (measured) => measured === figureOf(words), because);
}

/**
 * The chapter claims something.
 * @param holds whether the run bears it out
 * @param because why not
 */
export function claims(sentence: Sentence, holds: boolean, because?: string): ChapterWords {
  return new ChapterWords(sentence, sentence, () => holds, because);
}
