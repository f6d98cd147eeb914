import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { comparePlot } from '../../../../src/report/views/compare-plot.js';
import { sampleResult } from '../sample.js';

test('the chart is a standalone SVG document with a bar a run', () => {
  const result = sampleResult();
  result.runs[1].time.translationShare = { low: 0, high: 0.05 };
  const text = comparePlot(result);
  const { window } = new JSDOM(text, { contentType: 'image/svg+xml' });
  const root = window.document.documentElement;
  expect([root.nodeName, root.namespaceURI]).toEqual(['svg', 'http://www.w3.org/2000/svg']);
  const bars = [...root.querySelectorAll('[aria-label=bar] rect')];
  expect(bars).toHaveLength(2);
  const [wide, narrow] = bars.map((bar) => Number(bar.getAttribute('width')));
  expect(wide / narrow).toBeCloseTo((0.5 - 0.3) / 0.05, 5);
});
