/** One level of the walk: the entry read, its bits as switches, and the rights left below it. */

import { html, nothing, type TemplateResult } from 'lit';
import type { DecodedField } from '../../../hw/base/format.js';
import type { EntryLevel } from '../../../src/explain/entry-level.js';
import { allowedWords } from '../../../src/explain/walk/rights.js';
import type { WalkLevel } from '../../../src/explain/walk/walk-result.js';
import type { Page } from '../../story/view.js';

/** An entry of any machine; those of x86 say more. */
type CardLevel = EntryLevel & Partial<Pick<WalkLevel, 'allows' | 'skipped' | 'problem'>>;

export interface CardOptions {
  /** False while the walk has not come here yet. */
  readonly shown: boolean;
  /** The step just made read this entry. */
  readonly latest: boolean;
  /** Bits of this entry that the processor changed, by name: what they are now. */
  readonly changed: ReadonlyMap<string, number>;
}

/** What the view keeps of the cards between drawings. */
export interface CardState {
  /** Levels with all bits shown, not only the flags. */
  readonly open: Set<number>;
  /** Changes of bits forget their fence. */
  readonly forgets: boolean;
}

export function levelCard(level: CardLevel, options: CardOptions, cards: CardState, page: Page): TemplateResult {
  const { shown, latest } = options;
  const state = shown ? (level.skipped === true ? 'skipped' : 'read') : 'later';
  return html`<article class="level level-${level.level} ${state} ${latest ? 'latest' : ''}" data-level=${level.level}>
    <h3>${level.table}<span>[${level.index}]</span></h3>
    ${shown ? body(level, options.changed, cards, page) : html`<p class="quiet">not read yet</p>`}
  </article>`;
}

function body(
  level: CardLevel,
  changed: CardOptions['changed'],
  { open, forgets }: CardState,
  page: Page,
): TemplateResult {
  const { entryAddress, format, raw, target, pointsTo, allows, problem, skipped } = level;
  const where = `${level.table}[${level.index}]`;
  const isOpen = open.has(level.level);
  const toggle = (bit: number): void => {
    page.act(`${forgets ? 'lazy' : 'flip'}.${level.level}.${bit}`, true);
  };
  const unfold = (): void => {
    if (!open.delete(level.level)) open.add(level.level);
    page.redraw();
  };
  return html`
    <p class="quiet">${format} at ${entryAddress === null ? 'a register' : html`<code>${entryAddress}</code>`}</p>
    <p class="raw"><code>${raw}</code></p>
    <div class="bits" role="group" aria-label="Bits of ${where}">
      ${flagSwitches(level.fields, changed, toggle, where)}
    </div>
    <p>${pointsTo === 'nothing' ? 'leads nowhere' : html`${pointsTo} at <code>${target}</code>`}</p>
    ${allows === null || allows === undefined ? nothing : html`<p>allows <b>${allowedWords(allows)}</b></p>`}
    ${skipped === true ? html`<p class="quiet">not read: cached</p>` : nothing}
    ${changed.size === 0 ? nothing : html`<p class="good">${changeWords(changed)}</p>`}
    ${problem === undefined ? nothing : html`<p class="bad">✗ ${problem}</p>`}
    <button class="fold" aria-expanded=${String(isOpen)} @click=${unfold}>
      ${isOpen ? 'Only the flags' : 'Every bit'}<span class="unseen"> of ${where}</span>
    </button>
    ${isOpen ? everyBit(raw, level.fields, toggle, where) : nothing}
  `;
}

/**
 * The bits of an entry with names, as switches.
 * @param changed those that the processor set or cleared itself
 * @param where the entry, for those who hear the page
 */
export function flagSwitches(
  fields: readonly DecodedField[],
  changed: ReadonlyMap<string, number>,
  toggle: (bit: number) => void,
  where: string,
): readonly TemplateResult[] {
  return fields.filter(isFlag).map((field) => flag(field, changed, toggle, where));
}

function isFlag({ low, high, name }: DecodedField): boolean {
  return low === high && name !== 'ignored';
}

/** `the processor set A D`. */
function changeWords(changed: ReadonlyMap<string, number>): string {
  const named = (wanted: number): string =>
    [...changed].flatMap(([name, value]) => (value === wanted ? [name] : [])).join(' ');
  const words = [named(1) && `set ${named(1)}`, named(0) && `cleared ${named(0)}`].filter((part) => part !== '');
  return `the processor ${words.join(' and ')}`;
}

/** @param changed the bits just changed by the processor itself */
function flag(
  { name, low, value, meaning }: DecodedField,
  changed: ReadonlyMap<string, number>,
  toggle: (bit: number) => void,
  where: string,
): TemplateResult {
  const now = changed.get(name) ?? value;
  return html`<button
    class="bit ${changed.has(name) ? 'fresh' : ''}"
    role="switch"
    aria-checked=${String(now === 1)}
    title="bit ${low}: ${meaning}"
    data-bit=${low}
    @click=${() => {
      toggle(low);
    }}
  >
    ${name}<i>${now}</i><span class="unseen"> bit ${low} of ${where}</span>
  </button>`;
}

/** All bits of an entry in rows, each row beside the number of its first bit. @param raw hexadecimal, every digit @param where the entry */
export function everyBit(
  raw: string,
  fields: readonly DecodedField[],
  toggle: (bit: number) => void,
  where: string,
): TemplateResult {
  const value = BigInt(raw);
  const rows = Array.from({ length: (raw.length - 2) / 4 }, (_, row) => ((raw.length - 2) / 4 - row) * 16 - 1);
  const cell = (bit: number): TemplateResult => {
    const on = ((value >> BigInt(bit)) & 1n) === 1n;
    const field = fields.find(({ low, high }) => low <= bit && bit <= high);
    return html`<button
      role="switch"
      aria-checked=${String(on)}
      aria-label="bit ${bit} of ${where}, ${field?.name ?? 'reserved'}"
      title="bit ${bit}: ${field?.name ?? 'reserved'}"
      data-bit=${bit}
      @click=${() => {
        toggle(bit);
      }}
    >
      ${on ? 1 : 0}
    </button>`;
  };
  return html`<div class="grid" role="group" aria-label="Every bit of ${where}">
    ${rows.map(
      (first) =>
        html`<small aria-hidden="true">${first}</small> ${Array.from({ length: 16 }, (_, i) => first - i)
            .filter((bit) => bit >= 0)
            .map(cell)}`,
    )}
  </div>`;
}
