/** The translate view: one access from address to frame or fault, and every bit on the way as a switch. */

import { html, nothing, type TemplateResult } from 'lit';
import { DEMO_MODES, type DemoMode, LIBRARY } from '../../src/explain/demo-states.js';
import type { WalkLevel, WalkResult } from '../../src/explain/walk/walk-result.js';
import { whyWalked } from '../../src/explain/walk/why-walked.js';
import type { Position } from '../story/history.js';
import { type Page, StoryView } from '../story/view.js';
import { addressFields } from './address-fields.js';
import { levelCard } from './level-card.js';
import { type AccessRecord, TranslateMachine } from './machine.js';
import { accessForm, type Draft, registerSwitches, TLBS } from './controls.js';
import { outcomeBox, tlbWords } from './outcome-box.js';
import { stepList } from './step-list.js';
import { tlbTable } from './tlb-table.js';

export class TranslateView extends StoryView<TranslateMachine> {
  readonly name = 'translate';
  readonly title = 'Translate';
  override readonly tourIs =
    'How a virtual address becomes a place in memory: the TLB, four tables, faults, and an entry gone stale.';
  /** The contents of the form: the next access. */
  #draft: Draft = { address: LIBRARY['4l'], access: 'read', who: 'user' };
  /** The last change of an entry forgets INVLPG. */
  #forgets = false;
  readonly #open = new Set<number>();

  constructor() {
    super({ mode: DEMO_MODES, tlb: TLBS });
  }

  protected boot(): TranslateMachine {
    return new TranslateMachine(this.settings.mode as DemoMode, this.settings.tlb);
  }

  /** A first read, the same again, a first write, a fault and its repair: every part at work. */
  protected story(): readonly string[] {
    const mode = this.settings.mode as DemoMode;
    const wide = mode !== '32';
    return [
      `read.user.${LIBRARY[mode]}`,
      `read.user.${LIBRARY[mode]}`,
      `write.user.${LIBRARY[mode]}`,
      'write.user.0x602000',
      'flip.0.1',
      'lazy.0.1',
      'invlpg',
      ...(wide ? ['fetch.user.0x603000'] : []),
      'read.user.0x800000',
      'read.user.0xc00000',
      'read.user.0x700000',
      'read.user.0xc0100000',
    ];
  }

  protected override opening(): { events: number; stage: number } {
    return { events: 1, stage: Infinity };
  }

  /** The place in the tour, kept when the machine is changed. */
  get #place(): Position {
    const { history } = this;
    return history.tour === null ? history.position : history.tour.at;
  }

  /** Whether stage `number` (1: the TLB's answer) of the access is to be seen. */
  #shows(number: number): boolean {
    const { stage, stages } = this.history;
    return stage === stages || number <= stage;
  }

  status(): string {
    const { record, change } = this.machine;
    if (record === null) return 'Nothing has been accessed yet.';
    const { result } = record;
    const about = `${result.user ? 'user' : 'kernel'} ${result.access} of ${result.address}`;
    if (!this.#ended) {
      const { stage } = this.history;
      return stage === 1
        ? `${about}: ${tlbWords(result)}`
        : `${about}: ${this.machine.walked[stage - 2].table} entry read`;
    }
    const end = result.outcome.kind === 'mapped' ? `physical address ${result.outcome.physical}` : result.outcome.name;
    return `${change === '' ? '' : `${change}. `}${about}: ${end}`;
  }

  content(page: Page): TemplateResult {
    const { record, change } = this.machine;
    return html`
      ${accessForm(this.#draft, this.settings, page, this.#place)} ${registerSwitches(this.machine.registers, page)}
      <p class="now">
        <strong>${change === '' ? nothing : `${change}.`}</strong>
        ${
          record === null
            ? 'Give an address, or press Step.'
            : html`A ${record.result.user ? 'user-mode' : 'kernel-mode'} <b>${record.result.access}</b> of
                <code>${record.result.address}</code>${record.again ? ', made again' : ''}, in ${record.result.title}:`
        }
      </p>
      ${record === null ? nothing : this.#drawing(page)}
    `;
  }

  #drawing(page: Page): TemplateResult {
    const { record } = this.machine;
    if (record === null) return html``;
    return html`
      ${addressFields(record.result, record.request)}
      <div class="path">
        <section class="tlbs" aria-label="Translation lookaside buffers">${this.#tlbs(record, page)}</section>
        <section class="walk" aria-label="Page walk">${this.#walk(record, page)}</section>
      </div>
    `;
  }

  /** The result is the last stage, behind the TLB's answer and every entry read. */
  get #ended(): boolean {
    return this.#shows(this.machine.walked.length + 2);
  }

  #tlbs({ result, steps, before, after }: AccessRecord, page: Page): TemplateResult {
    const drawings = this.#ended ? after : before;
    const filled = steps.filter(({ kind }) => kind === 'fill').map(({ where }) => where);
    return html`
      <h2>1. TLB <span class="verdict">${tlbWords(result)}</span></h2>
      ${drawings.length === 0 ? html`<p>This machine has no TLB: every access walks.</p>` : nothing}
      ${drawings.map((drawing) => tlbTable(drawing, this.#ended && filled.includes(drawing.name)))}
      ${drawings.length === 0 ? nothing : html`<p class="quiet legend">▸ the set looked at; yellow: the page asked for; hatched: another page.</p>`}
      <div class="row">
        <button
          data-do="invlpg"
          title="Drop this page from the TLBs"
          @click=${() => {
            page.act('invlpg', true);
          }}
        >
          INVLPG
        </button>
        <button
          data-do="flush"
          title="Load CR3 again: drop all that is not global"
          @click=${() => {
            page.act('flush', true);
          }}
        >
          MOV CR3
        </button>
      </div>
    `;
  }

  #walk({ result, steps }: AccessRecord, page: Page): TemplateResult {
    const why = whyWalked(result);
    return html`
      <h2>
        2. Walk <span class="verdict">${this.#walkWords(result)}</span>
        <label class="aside"
          ><input
            type="checkbox"
            .checked=${this.#forgets}
            @change=${() => {
              this.#forgets = !this.#forgets;
              page.redraw();
            }}
          />
          forget INVLPG when a bit changes</label
        >
      </h2>
      <div class="levels">${result.levels.map((level) => this.#level(level, result, page))}</div>
      ${
        this.#ended
          ? html`${outcomeBox(result)}
            ${why === undefined ? nothing : html`<p class="why"><b>Why walk after a hit?</b> ${why}</p>`}
            ${stepList(steps)}`
          : html`<section class="outcome later">
              <h2>3. Result</h2>
              <p>not known yet</p>
            </section>`
      }
    `;
  }

  #level(level: WalkLevel, { changes }: WalkResult, page: Page): TemplateResult {
    const number = this.machine.walked.indexOf(level) + 2;
    const { stage, stages } = this.history;
    return levelCard(level, {
      shown: level.skipped || this.#shows(number),
      latest: !level.skipped && stages > 1 && number === stage,
      changes: this.#ended ? changes : [],
      open: this.#open.has(level.level),
      toggle: (bit) => {
        page.act(`${this.#forgets ? 'lazy' : 'flip'}.${level.level}.${bit}`, true);
      },
      unfold: () => {
        if (!this.#open.delete(level.level)) this.#open.add(level.level);
        page.redraw();
      },
    });
  }

  #walkWords({ tlb, walkCache }: WalkResult): string {
    const read = this.machine.walked.length;
    if (read === 0) return tlb.answer === 'off' ? 'none' : 'not needed: nothing below was read now';
    const cache = walkCache.answer === 'hit' ? `; a walk cache led straight to the ${walkCache.startsAt ?? ''}` : '';
    return `${read} ${read === 1 ? 'entry' : 'entries'} read${cache}`;
  }
}
