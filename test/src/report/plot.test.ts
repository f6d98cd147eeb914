import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { comparePlot } from '../../../src/report/plot.js';
import { sampleResult } from './sample.js';

test('the chart is a standalone SVG document with a bar a run', () => {
  const text = comparePlot(sampleResult());
  const { window } = new JSDOM(text, { contentType: 'image/svg+xml' });
  const root = window.document.documentElement;
  expect([root.nodeName, root.namespaceURI]).toEqual(['svg', 'http://www.w3.org/2000/svg']);
  const bars = [...root.querySelectorAll('[aria-label=bar] rect')];
  expect(bars).toHaveLength(2);
  const [wide, narrow] = bars.map((bar) => Number(bar.getAttribute('width')));
  expect(wide / narrow).toBeCloseTo(3.4 / 0.2, 5);
});
