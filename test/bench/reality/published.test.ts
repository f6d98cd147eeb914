import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPublished } from '../../../bench/reality/published.js';
import { spearman } from '../../../bench/reality/ranks.js';
import { temporaryFolder } from '../../folder.js';

function published(text: string) {
  const path = join(temporaryFolder(), 'table.csv');
  writeFileSync(path, text);
  return readPublished(path);
}

const HEAD = 'program,command,rss_mib,anon_huge_mib,user_ratio,user_lo,user_hi';

test('a table of gains is read by the names of its columns, commas between quotes and all', () => {
  const table = published(`${HEAD}\ndict,"python: a dict, ""large""",160,40,1.04,0.86,1.24\nplain,x,2,2,1,0.9,1.1\n`);
  expect([...table.keys()]).toEqual(['dict', 'plain']);
  expect(table.get('dict')).toEqual({
    speedup: { user: { median: 1.04, low: 0.86, high: 1.24 } },
    sides: [{ memory: { resident: 160, huge: 40 } }],
  });
});

test.each([
  ['program,user_ratio\na,1\n', 'expected columns'],
  [`${HEAD}\na,b,160,40,,0.9,1.1\n`, 'line 2: expected numbers'],
])('a table without what is needed names it', (text, reason) => {
  expect(() => published(text)).toThrow(reason);
});

test('equal orders correlate by 1, opposite ones by -1, and fewer than three say nothing', () => {
  expect(spearman([1, 2, 3, 4], [10, 20, 30, 90])).toBe(1);
  expect(spearman([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
  expect(spearman([1, 2, 3, 3], [1, 2, 3, 4])).toBeCloseTo(0.949, 3);
  expect(spearman([1, 2], [1, 2])).toBeNull();
});
