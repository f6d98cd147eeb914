/** The TLB view: a program's pages one after the other, what the TLB keeps of them, and what another TLB would. */

import { html, nothing, type TemplateResult } from 'lit';
import { formatShare } from '../../src/report/output/units.js';
import { menu, textField } from '../form.js';
import { type Page, StoryView } from '../story/view.js';
import { stepList } from '../translate/drawing/step-list.js';
import { arrayTable, pageFields, sizeBars, timeChart } from './drawing.js';
import { missesOf, TlbMachine } from './machine.js';
import { pagesIn, TLB_PROGRAMS } from './programs.js';

const OWN = 'own';
const SHAPES = [
  ['4xfa', '4 entries, any place'],
  ['4x1', '4 sets of 1'],
  ['8x2', '4 sets of 2'],
  ['8xfa', '8 entries, any place'],
  ['16x4', '4 sets of 4'],
] as const;
const POLICIES = [
  ['lru', 'the one used longest ago'],
  ['fifo', 'the oldest'],
  ['random', 'any (seeded)'],
] as const;
/** A walk of four levels reads as many entries. */
const READS = 4;

export class TlbView extends StoryView<TlbMachine> {
  readonly name = 'tlb';
  readonly title = 'TLB';
  #draft = '0 1 2 3 0 1 4 0 1 2 3 4';
  /** Misses by program and shape; each is a run of the whole program. */
  readonly #misses = new Map<string, number>();

  constructor() {
    super({
      program: [TLB_PROGRAMS[0].name, ...TLB_PROGRAMS.slice(1).map(({ name }) => name), OWN],
      shape: ['4x1', ...SHAPES.map(([shape]) => shape).filter((shape) => shape !== '4x1')],
      policy: ['lru', 'fifo', 'random'],
      pages: null,
    });
  }

  get tourIs(): string {
    return this.settings.program === OWN ? '' : 'What a TLB keeps, which set a page belongs to, and who gives way.';
  }

  get #pages(): readonly number[] {
    const { program, pages } = this.settings;
    return TLB_PROGRAMS.find(({ name }) => name === program)?.pages ?? pagesIn(pages);
  }

  #shape(shape: string): string {
    return `${shape}/${this.settings.policy}`;
  }

  protected boot(): TlbMachine {
    return new TlbMachine(this.#shape(this.settings.shape));
  }

  protected story(): readonly string[] {
    return this.#pages.map((page) => `page.${page}`);
  }

  protected override opening(): { events: number; stage: number } {
    return { events: Math.min(9, this.#pages.length), stage: 1 };
  }

  status(): string {
    const { last } = this.machine;
    return last === null ? 'No page is touched yet.' : `page ${last.page}: ${last.hit ? 'hit' : 'miss'}`;
  }

  content(page: Page): TemplateResult {
    const { last, touches, array } = this.machine;
    const hits = touches.filter(({ hit }) => hit).length;
    const about = TLB_PROGRAMS.find(({ name }) => name === this.settings.program)?.about;
    return html`${this.#form(page)} ${about === undefined ? nothing : html`<p class="about">${about}</p>`}
      <p class="now">
        ${
          last === null
            ? 'Press Step: the first page is touched.'
            : html`Touch ${touches.length}: page <b>${last.page}</b>,
                <strong class=${last.hit ? 'good' : 'bad'}>${last.hit ? '✓ a hit' : '✗ a miss'}</strong
                >${last.hit ? nothing : `: ${READS} entries are read in memory`}.`
        }
      </p>
      <div class="halves">
        <section aria-label="The TLB">
          <h2>1. Where the page belongs</h2>
          ${last === null ? html`<p class="quiet">no page yet</p>` : pageFields(last.page, array)}
          <h2>2. What the TLB holds</h2>
          ${arrayTable(array, last)}
          ${last === null ? nothing : stepList(shortened(last.steps), last.hit ? 'hit' : 'miss')}
        </section>
        <section aria-label="The program">
          ${timeChart(this.#pages, touches)}
          <dl class="counts">
            ${Object.entries({
              touches: String(touches.length),
              hits: String(hits),
              misses: String(touches.length - hits),
              'hit rate': touches.length === 0 ? '–' : formatShare(hits / touches.length),
              'entries read in memory': String(READS * (touches.length - hits)),
            }).map(
              ([name, value]) =>
                html`<div data-count=${name}>
                  <dt>${name}</dt>
                  <dd>${value}</dd>
                </div>`,
            )}
          </dl>
          ${this.#pages.length === 0 ? nothing : sizeBars(this.#compared(), this.#pages.length)}
        </section>
      </div>`;
  }

  #form(page: Page): TemplateResult {
    const { program, shape, policy } = this.settings;
    const titles = [
      ...TLB_PROGRAMS.map(({ name, title }) => [name, title] as const),
      [OWN, 'pages of your own'] as const,
    ];
    const change = (part: Readonly<Record<string, string>>): void => {
      const { events, stage } = this.history.position;
      page.change({ ...this.settings, ...part }, 'program' in part ? undefined : { events, stage });
    };
    return html`<form
      class="controls"
      @submit=${(event: Event) => {
        event.preventDefault();
        change({ program: OWN, pages: this.#draft });
      }}
    >
      ${menu('Program', 'program', program, titles, (name) => {
        change(name === OWN ? { program: OWN, pages: this.#draft } : { program: name, pages: '' });
      })}
      ${menu('Entries', 'shape', shape, SHAPES, (value) => {
        change({ shape: value });
      })}
      ${menu('Gives way', 'policy', policy, POLICIES, (value) => {
        change({ policy: value });
      })}
      ${textField('Pages', 'pages', 18, this.#draft, (text) => {
        this.#draft = text;
      })}
      <button class="main" data-do="pages">Touch them</button>
    </form>`;
  }

  /** Each shape on the whole program. */
  #compared(): Parameters<typeof sizeBars>[0] {
    const pages = this.#pages;
    return SHAPES.map(([shape, words]) => {
      const key = `${this.#shape(shape)} ${pages.join()}`;
      const misses = this.#misses.get(key) ?? missesOf(pages, this.#shape(shape));
      this.#misses.set(key, misses);
      return { words, misses, own: shape === this.settings.shape };
    });
  }
}

/** The steps without each entry read: a walk is one step here. */
function shortened(steps: NonNullable<TlbMachine['last']>['steps']): NonNullable<TlbMachine['last']>['steps'] {
  return steps.filter(({ kind }) => !['read', 'set'].includes(kind));
}
