/** The labs view: every scenario of `pagewalk lab` as a story to step through, with its figures. */

import { html, nothing, svg, type TemplateResult } from 'lit';
import { LABS } from '../src/lab/labs.js';
import { runLab } from '../src/lab/story.js';
import { COST_LABELS } from '../src/report/results/lab-result.js';
import type { ArenaDrawing, LabResult } from '../src/report/results/lab-result.js';
import { menu } from './form.js';
import type { Machine } from './history.js';
import { type Page, type Settings, StoryView } from './view.js';

const NAMES = LABS.map(({ name }) => name) as [string, ...string[]];

/** A lab after its run, and how far it has been told. */
class ToldLab implements Machine {
  told = 0;

  constructor(readonly result: LabResult) {}

  act(words: string): number {
    if (words !== 'tell' || this.told === this.result.steps.length) {
      throw new RangeError(
        `'${words}' is nothing that can happen here; this lab has ${this.result.steps.length} steps`,
      );
    }
    this.told++;
    return 1;
  }
}

export class LabsView extends StoryView<ToldLab> {
  readonly name = 'labs';
  readonly title = 'Labs';
  /** Labs are deterministic, so each is run once. */
  readonly #results = new Map<string, LabResult>();

  constructor() {
    super({ lab: NAMES });
  }

  #result({ lab: name }: Settings): LabResult {
    const known = this.#results.get(name);
    if (known !== undefined) return known;
    const lab = LABS.find((candidate) => candidate.name === name);
    if (lab === undefined) throw new RangeError(`there is no lab '${name}'`);
    const result = runLab(lab);
    this.#results.set(name, result);
    return result;
  }

  protected boot(): ToldLab {
    return new ToldLab(this.#result(this.settings));
  }

  protected story(): readonly string[] {
    return this.#result(this.settings).steps.map(() => 'tell');
  }

  protected override opening(): { events: number; stage: number } {
    return { events: 1, stage: 1 };
  }

  status(): string {
    const { told, result } = this.machine;
    return told === 0 ? result.title : result.steps[told - 1].text;
  }

  content(page: Page): TemplateResult {
    const { told, result } = this.machine;
    const ended = told === result.steps.length;
    const titles = LABS.map(({ name, title }) => [name, title] as const);
    const arena = result.steps.slice(0, told).findLast((step) => step.arena !== undefined)?.arena;
    return html`
      <div class="controls">
        ${menu('Lab', 'lab', this.settings.lab, titles, (lab) => {
          page.change({ lab });
        })}
        <span class="quiet">step ${told} of ${result.steps.length}; <code>pagewalk lab ${result.name}</code></span>
      </div>
      <div class="lab">
        <section aria-label="Story">
          <h2>${result.title}</h2>
          <ol class="steps">
            ${result.steps.map(
              ({ text, evidence }, i) =>
                html`<li class=${i === told - 1 ? 'latest' : i < told ? '' : 'later'} aria-hidden=${String(i >= told)}>
                  ${
                    i < told
                      ? html`<p>${text}</p>
                          <div class="evidence">
                            ${evidence.map((line) => html`<code class=${line.includes('  ') ? 'columns' : ''}>${line}</code>`)}
                          </div>`
                      : html`<p class="quiet">…</p>`
                  }
                </li>`,
            )}
          </ol>
        </section>
        <section aria-label="What is measured">
          ${arena === undefined ? nothing : arenaBar(arena)}
          ${ended ? html`${figures(result)}${comparison(result)}` : html`<p class="quiet">The figures come with the last step.</p>`}
        </section>
      </div>
    `;
  }
}

const WIDTH = 600;

/** Segments and holes as they lie; names stand in the list below, for pieces are often narrow. */
function arenaBar({ base, bytes, pieces }: ArenaDrawing): TemplateResult {
  const x = (address: number): number => ((address - base) / bytes) * WIDTH;
  return html`<figure class="arena">
    <figcaption>The arena, ${bytes.toLocaleString('en-US')} bytes from 0x${base.toString(16)}</figcaption>
    <svg viewBox="0 0 ${WIDTH} 44" role="img" aria-label="Segments and holes in the order of their addresses">
      ${pieces.map(
        (
          piece,
        ) => svg`<rect class=${piece.name === undefined ? 'hole' : 'segment'} x=${x(piece.base)} y="1" width=${(piece.bytes / bytes) * WIDTH} height="42">
          <title>${piece.name ?? 'hole'}, ${piece.bytes} bytes at 0x${piece.base.toString(16)}</title></rect>`,
      )}
      ${pieces
        .filter((piece) => piece.name !== undefined && (piece.bytes / bytes) * WIDTH > piece.name.length * 8)
        .map(
          (piece) => svg`<text x=${x(piece.base) + ((piece.bytes / bytes) * WIDTH) / 2} y="27">${piece.name}</text>`,
        )}
    </svg>
    <p class="quiet">
      ${pieces.map(({ name, bytes: size }) => `${name ?? 'hole'} ${size.toLocaleString('en-US')}`).join(' · ')}
    </p>
  </figure>`;
}

function text(value: number | string | boolean | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 4 }) : String(value);
}

/** `holesPerSegment` as `holes per segment`. */
function words(key: string): string {
  return key.replace(/[A-Z]+/g, (capital) => ` ${capital.toLowerCase()}`);
}

function figures({ figures: measured, expected }: LabResult): TemplateResult {
  return html`<table class="figures">
    <tr>
      <th scope="row">Figure</th>
      <th scope="col">measured</th>
      <th scope="col">the chapter says</th>
    </tr>
    ${Object.entries(measured).map(
      ([key, value]) =>
        html`<tr data-figure=${key}>
          <th scope="row" title=${key}>${words(key)}</th>
          <td>${text(value)}</td>
          <td>
            ${text(expected[key])}
            ${key in expected ? (expected[key] === value ? html`<span class="good">✓</span>` : html`<span class="bad">≠</span>`) : nothing}
          </td>
        </tr>`,
    )}
  </table>`;
}

function comparison({ comparison: both }: LabResult): TemplateResult | typeof nothing {
  if (both === undefined) return nothing;
  return html`<table class="figures">
    <tr>
      <th scope="row">What it cost</th>
      <th scope="col">segmentation</th>
      <th scope="col">paging</th>
    </tr>
    ${COST_LABELS.map(
      ([key, label]) =>
        html`<tr>
          <th scope="row">${label}</th>
          <td>${text(both.segmentation[key])}</td>
          <td>${text(both.paging[key])}</td>
        </tr>`,
    )}
  </table>`;
}
