/** A logical address drawn from the result that `pagewalk segment` prints: selector, descriptor, checks, end. */

import { html, nothing, type TemplateResult } from 'lit';
import { addressField } from '../../src/explain/address-field.js';
import type { ExplainedDescriptor, SegmentCheck, SegmentResult } from '../../src/explain/segment/segment-result.js';
import type { WalkResult } from '../../src/explain/walk/walk-result.js';
import type { Page } from '../story/view.js';
import { everyBit, flagSwitches } from '../translate/drawing/level-card.js';
import { faultBox, mappedBox, pageWords } from '../translate/drawing/outcome-box.js';
import { valueList } from '../translate/drawing/values.js';
import { type StagesShown, shows } from '../translate/drawing/walk-layout.js';
import { checksMade } from './machine.js';
import { segmentBar } from './span.js';

/** @param open descriptors with all their bits shown @param onward a link to the walk of the linear address */
export function segmentDrawing(
  result: SegmentResult,
  progress: StagesShown,
  open: Set<number>,
  onward: string,
  page: Page,
): TemplateResult {
  const made = checksMade(result);
  const seen = progress.stage === progress.stages ? made : Math.min(made, progress.stage - 2);
  const ended = shows(progress, made + 3);
  return html`<div class="drawing">
    ${logicalAddress(result)}
    <div class="halves">
      <section aria-label="Descriptor">
        <h2>1. Descriptor <span class="verdict">${result.names}</span></h2>
        ${shows(progress, 2) ? descriptors(result, open, page) : html`<p class="quiet">not read yet</p>`}
      </section>
      <section aria-label="Checks">
        <h2>2. Checks <span class="verdict">${checkWords(result, seen)}</span></h2>
        <ol class="checks">
          ${result.checks.map((check, i) => checkItem(check, i < seen, i === seen - 1 && !ended))}
        </ol>
        ${
          ended
            ? end(result, onward)
            : html`<section class="outcome later">
                <h2>3. Result</h2>
                <p>not known yet</p>
              </section>`
        }
      </section>
    </div>
  </div>`;
}

/** The selector's bits and the offset, as the fields of a linear address are drawn. */
function logicalAddress({ selectorFields, offset }: SegmentResult): TemplateResult {
  const fields = [...selectorFields].reverse();
  const value = BigInt(offset);
  const width = value >> 32n === 0n ? 32 : 64;
  const whole = addressField('offset', value, 0, width);
  return html`<section class="address" aria-label="The logical address in fields">
    ${fields.map(
      ({ name, low, high, value: number, meaning }, i) =>
        html`<div class="field level-${3 - i}" title=${meaning}>
          <span>${name} <b>${number}</b></span
          ><code>${number.toString(2).padStart(high - low + 1, '0')}</code
          ><small>${high === low ? `bit ${low}` : `bits ${high}:${low}`} of the selector</small>
        </div>`,
    )}
    <div class="field level-offset">
      <span>offset <b>${offset}</b></span
      ><code>${whole.bits}</code><small>bits ${width - 1}:0</small>
    </div>
  </section>`;
}

function descriptors(result: SegmentResult, open: Set<number>, page: Page): TemplateResult {
  const { descriptors: found, transfer, offset, size, access } = result;
  // A gate has no bytes; a call comes to the offset that its gate names.
  const behindGate = found.length > 1 && transfer === null;
  const target = found.length > 1 ? 1 : 0;
  const at = Number(transfer?.ip ?? offset);
  if (found.length === 0) return html`<p class="bad">✗ there is none</p>`;
  return html`${found.map((descriptor, i) => descriptorCard(descriptor, i, open, page))}
  ${behindGate || at >= 2 ** 32 ? nothing : segmentBar(found[target].raw, at, access === 'call' ? 1 : size)}`;
}

function descriptorCard(
  { address, raw, words, format, section, fields }: ExplainedDescriptor,
  at: number,
  open: Set<number>,
  page: Page,
): TemplateResult {
  const toggle = (bit: number): void => {
    page.act(`flip.${at}.${bit}`, true);
  };
  const where = `the descriptor at ${address}`;
  const isOpen = open.has(at);
  const parts = Object.fromEntries(
    fields
      .filter(({ low, high }) => low !== high)
      .map(({ name, low, high, value }) => [`${name} (bits ${high}:${low})`, `0x${value.toString(16)}`]),
  );
  return html`<article class="level level-3 read" data-descriptor=${at}>
    <h3>${words}</h3>
    <p class="quiet">${format} at <code>${address}</code></p>
    <p class="raw"><code>${raw}</code></p>
    <div class="bits" role="group" aria-label="Bits of ${where}">${flagSwitches(fields, new Map(), toggle, where)}</div>
    ${valueList(parts)}
    <small>${section}</small>
    <button
      class="fold"
      aria-expanded=${String(isOpen)}
      @click=${() => {
        if (!open.delete(at)) open.add(at);
        page.redraw();
      }}
    >
      ${isOpen ? 'Only the flags' : 'Every bit'}<span class="unseen"> of ${where}</span>
    </button>
    ${isOpen ? everyBit(raw, fields, toggle, where) : nothing}
  </article>`;
}

function checkWords({ checks }: SegmentResult, seen: number): string {
  if (checks.length === 0) return 'none: a base and nothing more';
  const failed = checks.slice(0, seen).some(({ passed }) => passed === false);
  return failed ? 'one fails, and the rest is not made' : `${seen} of ${checks.length} made`;
}

function checkItem({ rule, passed, failure, section }: SegmentCheck, seen: boolean, latest: boolean): TemplateResult {
  const made = seen && passed !== null;
  const sign = !made
    ? html`<b class="quiet">–<span class="unseen"> not made</span></b>`
    : passed
      ? html`<b class="good">✓<span class="unseen"> holds</span></b>`
      : html`<b class="bad">✗<span class="unseen"> fails</span></b>`;
  return html`<li class=${latest ? 'latest' : made ? '' : 'later'}>
    ${sign}
    <div>
      ${rule}${made && !passed ? html`: <b class="bad">${failure}</b>` : nothing}
      ${made ? html`<small>${section}</small>` : nothing}
    </div>
  </li>`;
}

function end({ outcome, linear, walk, secondWalk, transfer }: SegmentResult, onward: string): TemplateResult {
  const entered =
    transfer === null
      ? nothing
      : html`<p>
            Entered: CPL ${transfer.cpl}, code <code>${transfer.cs}:${transfer.ip}</code>, stack
            <code>${transfer.ss}:${transfer.sp}</code>
          </p>
          ${valueList(Object.fromEntries(transfer.pushed.map(({ what, value }) => [`${what} pushed`, value ?? 'not readable'])))}`;
  const path =
    linear === null || walk === null
      ? nothing
      : html`<p>
          Base and offset make linear <code>${linear}</code>.
          ${walkWords(walk)}${secondWalk === null ? '' : `; the last bytes lie in the next page: ${walkWords(secondWalk)}`}
          <a class="button" data-do="onward" href=${onward}>Walk it</a>
        </p>`;
  return outcome.kind === 'mapped'
    ? mappedBox(outcome.physical, pageWords(outcome.page), html`${entered}${path}`)
    : faultBox(outcome, html`${entered}${path}`);
}

/** `Paging reads PD[1], PT[0]`. */
function walkWords({ levels, tlb }: WalkResult): string {
  if (levels.length === 0) return tlb.answer === 'off' ? 'Paging is off' : 'The TLB has the page';
  return `Paging reads ${levels.map(({ table, index }) => `${table}[${index}]`).join(', ')}`;
}

/** The stage of the access in a few words; announced to people without sight. */
export function segmentTold(result: SegmentResult, progress: StagesShown): string {
  const made = checksMade(result);
  const { outcome, names, checks } = result;
  if (shows(progress, made + 3))
    return outcome.kind === 'mapped' ? `physical address ${outcome.physical}` : outcome.name;
  if (progress.stage === 1) return names;
  if (progress.stage === 2) return result.descriptors.at(0)?.words ?? 'there is no descriptor';
  const { rule, passed } = checks[progress.stage - 3];
  return `${passed === true ? 'holds' : 'fails'}: ${rule}`;
}
