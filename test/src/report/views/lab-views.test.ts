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
    { text: 'Something happens.', evidence: ['proof'], why: 'It is right.' },
    {
      text: 'A table.',
      evidence: [],
      table: {
        head: ['fit', 'holes'],
        rows: [
          ['first', '7'],
          ['b', '14'],
        ],
        bars: [1, 2],
      },
    },
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
  figures: { same: 1234567, other: true, limit: 15 },
  labels: { same: 'bytes in all', other: 'it holds', limit: 'limit of the code' },
  measuredAt: { same: 1, other: 1, limit: 2 },
  chapter: {
    other: { says: 'It holds in every case', sentence: 'It holds in every case', section: 'Claims', agrees: true },
    limit: { says: '16', sentence: '.limit = 16', section: 'Tables', agrees: false, because: 'it counts from 0' },
  },
  expected: { same: 1234567 },
  comparison: { workload: 'Two processes fork.', segmentation: cost, paging: { ...cost, faults: 7 } },
};

describe('a lab as text', () => {
  const text = labText(RESULT);

  it('numbers the steps, and says why they are right', () => {
    expect(text).toContain('1. Something happens.\n   proof\n   Why: It is right.\n2. ');
  });

  it('keeps the columns of tables, figures to the right, and draws a bar for each row', () => {
    const half = '#'.repeat(14);
    expect(text).toContain(`   fit    holes\n   first      7  ${half}\n   b         14  ${half}${half}\n`);
  });

  it('says what the chapter says in its words, and why the machine does otherwise', () => {
    expect(text).toMatch(/limit of the code +│ +15 │ +16 \[2\] ≠ │/);
    expect(text).toMatch(/it holds +│ +yes │ +\[1\] │/);
    expect(text).toContain('[1]  It holds in every case (Claims)\n[2]  .limit = 16 (Tables)\n     ≠ it counts from 0');
  });

  it('names the workload above the comparison', () => {
    expect(text).toContain('Compared: Two processes fork.\n┌');
  });

  it('draws segments by their first letter and holes as dots', () => {
    expect(text).toContain(`|${'d'.repeat(32)}${'.'.repeat(32)}|`);
  });

  it('puts the measured figure beside the expected one', () => {
    expect(text).toMatch(/bytes in all +│ +1,234,567 │ +│ +1,234,567 │/);
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
