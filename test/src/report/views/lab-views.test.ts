import { describe, expect, it } from 'vitest';
import type { LabResult } from '../../../../src/report/results/lab-result.js';
import { labList, labText } from '../../../../src/report/views/lab-views.js';

const cost = { bytesCopied: 4096, tableBytes: 16, faults: 1, flushes: 2, modelCycles: 1500, largestPause: 1000 };

const RESULT: LabResult = {
  schemaVersion: 1,
  command: 'lab',
  name: 'sample',
  title: 'A sample',
  steps: [
    { text: 'Something happens.', evidence: ['a  table  row'] },
    {
      text: 'The arena is drawn.',
      evidence: ['x'],
      arena: {
        base: 0,
        bytes: 64,
        pieces: [
          { base: 0, bytes: 32, name: 'data' },
          { base: 32, bytes: 32 },
        ],
      },
    },
  ],
  figures: { same: 1234567, other: true },
  expected: { same: 1234567 },
  comparison: { segmentation: cost, paging: { ...cost, faults: 7 } },
};

describe('a lab as text', () => {
  const text = labText(RESULT);

  it('numbers the steps and keeps the columns of their evidence', () => {
    expect(text).toContain('1. Something happens.\n   a  table  row\n2. ');
  });

  it('draws segments by their first letter and holes as dots', () => {
    expect(text).toContain(`|${'d'.repeat(32)}${'.'.repeat(32)}|`);
  });

  it('puts the measured figure beside the expected one', () => {
    expect(text).toMatch(/same +│ +1,234,567 │ +1,234,567 │/);
    expect(text).toMatch(/other +│ +yes │ +│/);
  });

  it('ends with both schemes', () => {
    expect(text).toMatch(/faults +│ +1 │ +7 │/);
  });

  it('is 80 columns wide at most', () => {
    const long = labText({ ...RESULT, steps: [{ text: 'word '.repeat(40), evidence: ['word '.repeat(40)] }] });
    expect(Math.max(...long.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe('the list', () => {
  it('aligns the titles', () => {
    const list = labList([
      { name: 'a', title: 'One' },
      { name: 'long', title: 'Two' },
    ]);
    expect(list).toBe('a     One\nlong  Two\n');
  });
});
