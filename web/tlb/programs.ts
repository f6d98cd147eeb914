/** Programs of the TLB view, as the pages that they touch one after the other. */

/** Rows and columns of the matrix: a row is a page. */
const ROWS = 6;
const COLUMNS = 4;

function counted(length: number, page: (i: number) => number): readonly number[] {
  return Array.from({ length }, (_, i) => page(i));
}

interface TlbProgram {
  readonly name: string;
  readonly title: string;
  /** What is to be seen, in a sentence. */
  readonly about: string;
  readonly pages: readonly number[];
}

export const TLB_PROGRAMS: readonly TlbProgram[] = [
  {
    name: 'columns',
    title: 'a matrix, column by column',
    about: `Each row of the matrix is a page. Column by column the program touches another page each time, and comes back to it after ${ROWS} touches; a TLB with too little room has dropped it by then.`,
    pages: counted(ROWS * COLUMNS, (i) => i % ROWS),
  },
  {
    name: 'array',
    title: 'ten elements of an array',
    about:
      'A loop adds up ten elements that lie on three pages: the first touch of a page misses, its neighbours hit. Operating Systems: Three Easy Pieces, chapter "Translation Lookaside Buffers", has this example.',
    pages: [6, 6, 6, 7, 7, 7, 7, 8, 8, 8],
  },
  {
    name: 'rows',
    title: 'the same matrix, row by row',
    about: `The same elements in another order: the program reads all ${COLUMNS} of a page before the next, and misses once for each of ${ROWS} rows.`,
    pages: counted(ROWS * COLUMNS, (i) => Math.floor(i / COLUMNS)),
  },
  {
    name: 'loop',
    title: 'a loop over five pages',
    about:
      'Five pages in turn, four times. Where four entries are kept by last use, the page that comes next is always the one just dropped.',
    pages: counted(20, (i) => i % 5),
  },
  {
    name: 'conflict',
    title: 'pages of one set',
    about:
      'Three pages a multiple of four apart: with four sets they share one set, and crowd each other out while the other sets stay empty.',
    pages: counted(15, (i) => 4 * (i % 3)),
  },
  {
    name: 'working-set',
    title: 'two working sets',
    about: 'A program stays with three pages, then moves to three others: the misses come together, at the move.',
    pages: [...counted(12, (i) => [0, 1, 2, 1][i % 4]), ...counted(12, (i) => [9, 10, 11, 10][i % 4])],
  },
];

/** Pages have so many bits of number here. */
export const PAGE_BITS = 6;
export const MOST_PAGE = 2 ** PAGE_BITS - 1;

/** The pages of `0 1 2, 0`. @throws RangeError for text that is no list of pages */
export function pagesIn(text: string): readonly number[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const pages = words.map(Number);
  const bad = words.find((word) => !/^\d{1,2}$/.test(word) || Number(word) > MOST_PAGE);
  if (bad !== undefined)
    throw new RangeError(`'${bad}' is no page: give numbers from 0 to ${MOST_PAGE}, such as 0 1 2 0`);
  if (pages.length > 60) throw new RangeError(`${pages.length} pages are more than 60`);
  return pages;
}
