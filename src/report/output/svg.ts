/// <reference lib="dom" />

/** Plots as SVG documents. Slow to load (a DOM and a plotting library): import it only when a chart is asked for. */

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** The colour of each page size, the same in every chart. */
export const PAGE_COLORS = { domain: ['4K', '2M', '1G'], range: ['#4e79a7', '#f28e2b', '#59a14f'] };

const XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://www.w3.org/2000/svg';

/** Plots, one below the other and each at its own size, as a standalone SVG document. */
export function svgDocument(...plots: readonly Plot.PlotOptions[]): string {
  const { document } = parseHTML('<html></html>');
  const parts = plots.map((options) => Plot.plot({ ...options, document }));
  const size = (part: Element, side: 'width' | 'height'): number => Number(part.getAttribute(side));
  const width = Math.max(...parts.map((part) => size(part, 'width')));
  let height = 0;
  for (const part of parts) {
    part.setAttribute('y', String(height));
    height += size(part, 'height');
  }
  const root = document.createElementNS(NAMESPACE, 'svg');
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
    root.setAttribute(name, String(value));
  }
  root.append(...parts);
  root.setAttribute('xmlns', NAMESPACE);
  return `${XML_HEADER}${root.outerHTML}\n`;
}
