/** The labs view: every scenario of `pagewalk lab` as a story to step through, with its figures. */

import { html, nothing, type TemplateResult } from 'lit';
import { LABS } from '../../src/lab/labs.js';
import { LAB_MACHINES, type LabMachine } from '../../src/lab/lab-machines.js';
import { runLab } from '../../src/lab/story.js';
import { type LabResult, type LabStep, labTitle } from '../../src/report/results/lab-result.js';
import { menu } from '../form.js';
import type { Machine } from '../story/history.js';
import { linePlot } from './lines.js';
import { mappingsDrawing } from './mappings.js';
import { arenaBar } from '../arena.js';
import { comparison, figureLegend, figures, firstMeasuring, stepTable } from './tables.js';
import { type Page, type Settings, StoryView } from '../story/view.js';

const NAMES = LABS.map(({ name }) => name) as [string, ...string[]];

function runsEverywhere(lab: string): boolean {
  return LABS.some(({ name, everywhere }) => name === lab && everywhere === true);
}

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
  readonly tourIs = '';
  /** Labs are deterministic, so each is run once. */
  readonly #results = new Map<string, LabResult>();

  constructor() {
    super({ lab: NAMES, machine: LAB_MACHINES });
  }

  #result({ lab: name, machine }: Settings): LabResult {
    const key = `${name} ${machine}`;
    const known = this.#results.get(key);
    if (known !== undefined) return known;
    const lab = LABS.find((candidate) => candidate.name === name);
    if (lab === undefined) throw new RangeError(`there is no lab '${name}'`);
    if (machine !== 'x86' && lab.everywhere !== true) throw new RangeError(`lab ${name} runs on x86 alone`);
    const result = runLab(lab, machine as LabMachine);
    this.#results.set(key, result);
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
    return told === 0 ? labTitle(result) : result.steps[told - 1].text;
  }

  content(page: Page): TemplateResult {
    const { told, result } = this.machine;
    const ended = told === result.steps.length;
    const { lab, machine } = this.settings;
    const titles = LABS.map(({ name, title }) => [name, title] as const);
    const headed = firstMeasuring(result);
    return html`
      <div class="controls">
        ${menu('Lab', 'lab', lab, titles, (chosen) => {
          page.change({ lab: chosen, machine: runsEverywhere(chosen) ? machine : 'x86' });
        })}
        ${
          runsEverywhere(lab)
            ? menu('Machine', 'machine', machine, LAB_MACHINES, (chosen) => {
                page.change({ lab, machine: chosen });
              })
            : nothing
        }
        <span class="quiet"
          >step ${told} of ${result.steps.length};
          <code>pagewalk lab ${lab}${machine === 'x86' ? '' : ` --machine ${machine}`}</code></span
        >
      </div>
      <section aria-label="Story">
        <h2 class="lab-title">${labTitle(result)}</h2>
        <ol class="steps">
          ${result.steps.map((step, i) => stepItem(step, i - told, figures(result, i + 1, i < told, i + 1 === headed)))}
        </ol>
        ${figureLegend()}
      </section>
      ${ended ? comparison(result) : nothing}
    `;
  }
}

/** @param ahead steps still to come before this one; below 0 when it was told @param measured its figures */
function stepItem(
  { text, evidence, table, arena, mappings, lines, why }: LabStep,
  ahead: number,
  measured: TemplateResult | typeof nothing,
): TemplateResult {
  const told = html`<p>${text}</p>
    ${mappings === undefined ? nothing : mappingsDrawing(mappings)} ${arena === undefined ? nothing : arenaBar(arena)}
    ${table === undefined ? nothing : stepTable(table)} ${lines === undefined ? nothing : linePlot(lines)}
    <ul class="evidence">
      ${evidence.map((line) => html`<li>${line}</li>`)}
    </ul>
    ${why === undefined ? nothing : html`<p class="why"><b>Why?</b> ${why}</p>`}`;
  return html`<li class="step ${ahead >= 0 ? 'later' : ahead === -1 ? 'latest' : ''}">
    <div class=${measured === nothing ? 'alone' : 'beside'}>
      <div>${ahead >= 0 ? html`<p class="quiet">still to come</p>` : told}</div>
      ${measured}
    </div>
  </li>`;
}
