import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { DEFAULT_COSTS } from '../../../../hw/translate/counts/cost.js';
import type { SweepRow } from '../../../../src/report/results/sweep-result.js';
import { sweepPlot } from '../../../../src/report/views/sweep-plot.js';

function row(pages: string, l1: string, cyclesPerAccess: number): SweepRow {
  const counts = {
    processes: 1,
    countedAsOne: 1,
    accesses: 100,
    lookups: 100,
    l1Hits: 50,
    l2Hits: 40,
    walks: 10,
    entryReads: 20,
  };
  return { trace: 'sort', pages, l1, l2: 'none', ...counts, cyclesPerAccess };
}

function draw(rows: readonly SweepRow[]): Element {
  const text = sweepPlot({ schemaVersion: 1, command: 'sweep', costs: DEFAULT_COSTS, rows });
  return new JSDOM(text, { contentType: 'image/svg+xml' }).window.document.documentElement;
}

function texts(root: Element): string[] {
  return [...root.querySelectorAll('text')].map((text) => text.textContent);
}

test('the heat map names its axes, its colours and its fields, in the order of the rows', () => {
  const found = texts(draw([row('4K', '16x4', 2), row('4K', '64x4', 1), row('2M', '16x4', 0.5), row('2M', '64x4', 0)]));
  const expected = ['model cycles of translation per access', 'second-level TLB', 'first-level TLB, entries x ways'];
  for (const label of expected) expect(found.some((text) => text.startsWith(label))).toBe(true);
  expect(found.filter((text) => text.startsWith('sort, '))).toEqual(['sort, 4K pages', 'sort, 2M pages']);
});

test('each cell carries its number, in white where the cell is dark', () => {
  const root = draw([row('4K', '16x4', 2), row('4K', '64x4', 0.25)]);
  const fill = (text: string): string | null | undefined =>
    [...root.querySelectorAll('text')].find((element) => element.textContent === text)?.getAttribute('fill');
  expect([fill('2'), fill('0.25')]).toEqual(['white', 'black']);
});

test('a sweep in which nothing costs anything can be drawn', () => {
  expect(texts(draw([row('1G', '16x4', 0)]))).toContain('0');
});
