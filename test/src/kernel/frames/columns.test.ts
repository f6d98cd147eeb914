import { describe, expect, it } from 'vitest';
import { Columns } from '../../../../src/kernel/frames/columns.js';

describe('Columns', () => {
  it('cuts columns that do not overlap and begin as zeros', () => {
    const columns = new Columns(6, 4 + 4 + 2 + 1);
    const cut = [columns.int32(), columns.int32(), columns.uint16(), columns.uint8()];
    cut.forEach((column, i) => {
      expect([...column]).toEqual([0, 0, 0, 0, 0, 0]);
      column.fill(i + 1);
    });
    expect(cut.map((column) => [...column])).toEqual([1, 2, 3, 4].map((value) => new Array<number>(6).fill(value)));
  });

  it('cuts no more than it was made for', () => {
    const columns = new Columns(5, 4);
    columns.int32();
    expect(() => columns.int32()).toThrow(RangeError);
  });
});
