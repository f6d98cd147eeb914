/** A segment as a bar: its valid offsets, and the bytes of the access inside or past them. */

import { formatHex } from '../../hw/base/address.js';
import { EXPAND_DOWN, CODE, limitOf, unpackSegment } from '../../hw/x86/segmentation/descriptor.js';
import { html, nothing, svg, type TemplateResult } from 'lit';

const WIDTH = 600;
const BAR = { top: 34, height: 30 };
/** An access of a few bytes must be seen beside a segment of many. */
const LEAST_MARK = 4;

/** The valid offsets of a descriptor for code or data. */
interface Span {
  readonly base: number;
  readonly first: number;
  readonly last: number;
  /** The largest offset drawn. */
  readonly end: number;
}

/** @param offset of the access, with its size: to be in the drawing */
function spanOf(raw: string, offset: number, size: number): Span | undefined {
  const value = BigInt(raw);
  const [hi, lo] = [Number(value >> 32n) | 0, Number(value & 0xffff_ffffn) | 0];
  const { base, codeOrData, big } = unpackSegment(hi, lo);
  if (!codeOrData) return undefined;
  const limit = limitOf(hi, lo) >>> 0;
  const isDown = (hi & CODE) === 0 && (hi & EXPAND_DOWN) !== 0;
  if (isDown) {
    const last = big ? 0xffff_ffff : 0xffff;
    return { base, first: limit + 1, last, end: Math.min(last, 2.2 * Math.max(limit + 1, offset + size)) };
  }
  return { base, first: 0, last: limit, end: 1.25 * Math.max(limit + 1, offset + size) };
}

/** Nothing for a gate, an LDT or a TSS. */
export function segmentBar(raw: string, offset: number, size: number): TemplateResult | typeof nothing {
  const span = spanOf(raw, offset, size);
  if (span === undefined) return nothing;
  const { base, first, last, end } = span;
  const x = (at: number): number => (Math.min(at, end) / end) * WIDTH;
  const inside = offset >= first && offset + size - 1 <= last;
  const wide = Math.max(LEAST_MARK, x(offset + size) - x(offset));
  const left = Math.min(x(offset), WIDTH - wide);
  const anchor = (at: number): string => (at < 0.2 * WIDTH ? 'start' : at > 0.8 * WIDTH ? 'end' : 'middle');
  const to = last > end ? 'and on' : `to ${formatHex(0, last | 0)}`;
  const label = (at: number, y: number, text: string): unknown =>
    svg`<text class=${anchor(at)} x=${at} y=${y}>${text}</text>`;
  return html`<figure class="arena">
    <figcaption>
      The segment, from linear ${formatHex(0, base | 0)} up; offsets ${formatHex(0, first | 0)} ${to} are valid
      <span class="legend"><i class="segment"></i> valid <i class="hole"></i> not valid</span>
    </figcaption>
    <svg viewBox="0 0 ${WIDTH} 86" role="img" aria-label="Valid offsets of the segment, and the access">
      <rect class="hole" x="1" y=${BAR.top} width=${WIDTH - 2} height=${BAR.height}></rect>
      <rect
        class="segment"
        x=${x(first)}
        y=${BAR.top}
        width=${Math.max(1, x(last + 1) - x(first) - 1)}
        height=${BAR.height}
      ></rect>
      <rect
        class=${inside ? 'reached' : 'refused'}
        x=${left}
        y=${BAR.top - 6}
        width=${wide}
        height=${BAR.height + 12}
      ></rect>
      ${label(left + wide / 2, 20, `${inside ? '✓' : '✗'} ${size === 1 ? '1 byte' : `${size} bytes`} at ${formatHex(0, offset | 0)}`)}
      ${label(x(first) + 1, 84, formatHex(0, first | 0))}
      ${last > end || x(last) - x(first) < 80 ? nothing : label(x(last), 84, formatHex(0, last | 0))}
    </svg>
  </figure>`;
}
