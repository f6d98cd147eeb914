import { describe, expect, it } from 'vitest';
import { boxTable, factTable, openTable } from '../../../../src/report/output/table.js';

const lines = (...texts: string[]): string => texts.join('\n');

describe('tables', () => {
  it('put words to the left and figures to the right', () => {
    expect(boxTable(['what', 'ns', 'why'], [['a load', '9.5', 'x']], { left: [0, 2], ruled: false })).toBe(
      lines('┌────────┬─────┬─────┐', '│ what   │  ns │ why │', '│ a load │ 9.5 │ x   │', '└────────┴─────┴─────┘'),
    );
  });

  it('have a rule between all rows unless they are told not to', () => {
    expect(boxTable(['L1', 'L2'], [['1', '2']])).toBe(
      lines('┌────┬────┐', '│ L1 │ L2 │', '├────┼────┤', '│ 1  │  2 │', '└────┴────┘'),
    );
  });

  it('give a cell of several lines as many', () => {
    expect(factTable(['n'], [[{ label: 'two\n  lines', cells: ['1'] }], [{ label: 'one', cells: ['22'] }]])).toBe(
      lines(
        '┌─────────┬────┐',
        '│         │  n │',
        '│ two     │  1 │',
        '│   lines │    │',
        '│         │    │',
        '│ one     │ 22 │',
        '└─────────┴────┘',
      ),
    );
  });

  it('count two columns for a wide character, and none for colors and marks', () => {
    const names = ['値段', 'e\u0301te', '\u001b[31mred!\u001b[39m', '…abc'];
    const rows = boxTable(
      ['name'],
      names.map((name) => [name]),
      { ruled: false },
    ).split('\n');
    expect(rows.slice(2, -1)).toEqual(['│ 値段 │', '│ e\u0301te  │', '│ \u001b[31mred!\u001b[39m │', '│ …abc │']);
  });

  it('end no line in spaces without a box', () => {
    expect(openTable(['region', 'size', 'why not'], [['heap', '4 KiB', '']], [0, 2])).toBe(
      lines('region   size  why not', 'heap    4 KiB'),
    );
  });
});
