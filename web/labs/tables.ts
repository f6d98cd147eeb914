/** What a lab measured, as the page shows it: tables with bars, figures beside their standards, and both schemes' costs. */

import { html, nothing, svg, type TemplateResult } from 'lit';
import { COST_LABELS } from '../../src/report/results/lab-result.js';
import type { ChapterCell, Figure, LabResult, LabTable } from '../../src/report/results/lab-result.js';

const BAR = { width: 120, height: 12 };

/** A table of a step. Its parts are no HTML table: those are for the figures of the whole lab. */
export function stepTable({ head, rows, bars }: LabTable): TemplateResult {
  const longest = Math.max(...(bars ?? [])) || 1;
  const numeric = head.map((_, column) => rows.every((row) => /^[<\d]/.test(row[column])));
  const kind = (column: number): string => (numeric[column] ? 'cell number' : 'cell');
  return html`<div class="sheet" role="table" tabindex="0">
    <div class="line" role="row">
      ${head.map((text, i) => html`<b class=${kind(i)} role="columnheader">${text}</b>`)}
    </div>
    ${rows.map(
      (row, at) =>
        html`<div class="line" role="row">
          ${row.map((text, i) => html`<span class=${kind(i)} role="cell">${text}</span>`)}
          ${bars === undefined ? nothing : bar(bars[at] / longest)}
        </div>`,
    )}
  </div>`;
}

function bar(share: number): TemplateResult {
  return html`<span class="cell bar" aria-hidden="true"
    ><svg width=${BAR.width} height=${BAR.height}>
      ${svg`<rect width=${share * BAR.width} height=${BAR.height}></rect>`}
    </svg></span
  >`;
}

function text(value: Figure | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 4 }) : value;
}

function mark(right: boolean): TemplateResult {
  return right ? html` <span class="good">✓</span>` : html` <span class="bad">≠</span>`;
}

function chapterCell(cell: ChapterCell | undefined, measured: boolean): TemplateResult | typeof nothing {
  if (cell === undefined) return nothing;
  const { says, sentence, section, agrees, because } = cell;
  const words = says === sentence ? html`<q>${says}</q>` : says;
  return html`<span title="“${sentence}” (${section})">${words}</span>${measured ? mark(agrees) : nothing}
    ${measured && because !== undefined ? html`<small>${because}</small>` : nothing}`;
}

/** The figures that a step measures, by their names for programs. @param step from 1 */
function figuresOf({ measuredAt, steps }: LabResult, step: number): string[] {
  return Object.keys(measuredAt).filter((key) => Math.min(Math.max(1, measuredAt[key]), steps.length) === step);
}

/** The first step with figures: its table has the heads of all columns. */
export function firstMeasuring(result: LabResult): number {
  return result.steps.findIndex((_, i) => figuresOf(result, i + 1).length > 0) + 1;
}

/**
 * The figures of a step, beside it; they wait for their values until it is told.
 * @param step from 1 @param headed the heads of the columns are seen
 */
export function figures(
  result: LabResult,
  step: number,
  told: boolean,
  headed: boolean,
): TemplateResult | typeof nothing {
  const { figures: measured, labels, chapter, expected } = result;
  const keys = figuresOf(result, step);
  if (keys.length === 0) return nothing;
  return html`<table class="figures standards">
    <colgroup>
      <col class="name" />
      <col class="value" />
      <col />
      <col class="rule" />
    </colgroup>
    <thead class=${headed ? '' : 'unseen'}>
      <tr>
        <th scope="col">Figure</th>
        <th scope="col">measured</th>
        <th scope="col">the chapter says</th>
        <th scope="col">pagewalk expects</th>
      </tr>
    </thead>
    <tbody>
      ${keys.map(
        (key) =>
          html`<tr data-figure=${key}>
            <th scope="row">${labels[key]}</th>
            <td>${told ? html`<b>${text(measured[key])}</b>` : '…'}</td>
            <td>${chapterCell(chapter[key], told)}</td>
            <td>${text(expected[key])}${told && key in expected ? mark(expected[key] === measured[key]) : nothing}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

export function figureLegend(): TemplateResult {
  return html`<p class="quiet legend">
    …: its step is still to come. ✓: as it says. ≠: the machine does otherwise, for the reason below it. The chapter is
    quoted word for word; point at a quotation for its place. pagewalk expects what follows from its own rules.
  </p>`;
}

/** A number and a bar, as long as its share of the larger one. */
function costCell(value: number, most: number): TemplateResult {
  return html`<td>
    ${text(value)}
    <svg class="cost" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      ${svg`<rect width=${most === 0 ? 0 : (100 * value) / most} height="8"></rect>`}
    </svg>
  </td>`;
}

export function comparison({ comparison: both }: LabResult): TemplateResult | typeof nothing {
  if (both === undefined) return nothing;
  return html`<section class="paid" aria-label="What both schemes paid">
    <h2>What both schemes paid</h2>
    <p class="workload">${both.workload}</p>
    <table class="figures costs">
      <tr>
        <th scope="row">Cost</th>
        <th scope="col">segmentation</th>
        <th scope="col">paging</th>
      </tr>
      ${COST_LABELS.map(
        ([key, label]) =>
          html`<tr>
            <th scope="row">${label}</th>
            ${[both.segmentation, both.paging].map((cost) =>
              costCell(cost[key], Math.max(both.segmentation[key], both.paging[key])),
            )}
          </tr>`,
      )}
    </table>
    <p class="quiet legend">
      Flushes are invalidations of the TLB, or segment registers reloaded. Model cycles are weights that make the
      schemes comparable, not times. A bar is as long as its share of the larger cost in its row.
    </p>
  </section>`;
}
