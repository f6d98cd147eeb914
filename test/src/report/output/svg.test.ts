import * as Plot from '@observablehq/plot';
import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { svgDocument } from '../../../../src/report/output/svg.js';

/** Everything but the order of attributes, which means nothing. */
function content(node: Node): unknown {
  if (node.nodeType === node.TEXT_NODE) return node.nodeValue;
  const { namespaceURI, nodeName, attributes, childNodes } = node as Element;
  const pairs = [...attributes].map(({ namespaceURI: space, name, value }) => `${space}|${name}=${value}`);
  return [namespaceURI, nodeName, pairs.sort(), [...childNodes].map(content)];
}

function parse(text: string): Element {
  return new JSDOM(text, { contentType: 'image/svg+xml' }).window.document.documentElement;
}

const rows = [
  { name: 'a<b> & "c"', size: '4K', value: 2 },
  { name: "d'é", size: '2M', value: 0.25 },
];
const options: Plot.PlotOptions = {
  width: 400,
  height: 150,
  x: { label: 'cycles', grid: true, zero: true },
  fy: { label: 'name' },
  color: { type: 'linear', scheme: 'YlOrRd', domain: [0, 2] },
  marks: [
    Plot.barX(rows, { x: 'value', y: 'size', fy: 'name', fill: 'value' }),
    Plot.text(rows, { x: 'value', y: 'size', fy: 'name', text: 'name', fontWeight: 'bold' }),
    Plot.line(rows, { x: 'value', y: 'size', strokeDasharray: '4 3' }),
    Plot.dot(rows, { x: 'value', y: 'size', r: 3, title: 'name' }),
  ],
};

test('the small document that draws gives the elements, attributes and texts of a whole one', () => {
  const { document } = new JSDOM('').window;
  const whole = Plot.plot({ ...options, document });
  whole.setAttribute('y', '0');
  const drawn = parse(svgDocument(options)).firstElementChild!;
  expect(content(drawn)).toEqual(content(whole));
});

test('plots stand one below the other', () => {
  const root = parse(svgDocument({ width: 100, height: 30 }, { width: 300, height: 50 }));
  const side = (name: string): string[] => [root, ...root.children].map((part) => part.getAttribute(name) ?? '');
  expect([side('y'), side('width'), side('height')]).toEqual([
    ['', '0', '30'],
    ['300', '100', '300'],
    ['80', '30', '50'],
  ]);
});
