/** The compare view: page sizes and TLB shapes over a recording, worked out in a worker, with plots. */

import { html, nothing, type TemplateResult } from 'lit';
import { presetNames } from '../../hw/tlb/presets.js';
import WORKER from 'virtual:compare-worker';
import type { CompareResult, TraceSummary } from '../../src/report/results/compare-result.js';
import { firstTouchWords, groundWords, priceWords } from '../../src/report/views/compare-words.js';
import {
  formatBytes,
  formatCount,
  formatShare,
  formatShares,
  formatTime,
  formatTimes,
} from '../../src/report/output/units.js';
import { menu } from '../form.js';
import type { Moment } from '../story/link.js';
import type { Page, View } from '../story/view.js';
import { pageBoxes, tlbFields } from './fields.js';
import type { Comparison, WorkerMessage } from './messages.js';
import { DROPPED, GENERATED, Question } from './question.js';
import { MOST_BYTES } from './recordings.js';
import { WINDOW_LOOKUPS } from './windows.js';

export class CompareView implements View {
  readonly name = 'compare';
  readonly title = 'Compare';
  readonly tourIs = '';
  readonly tour = [];
  readonly history = null;
  readonly #question = new Question();
  #worker: Worker | null = null;
  /** Nothing was asked yet since the view was opened. */
  #fresh = false;
  #progress = { what: '', share: 0 };
  #comparison: Comparison | null = null;
  #plots: Readonly<Record<'shares' | 'windows' | 'misses' | 'forks', Element | undefined>> | null = null;

  open({ settings }: Moment): void {
    this.#question.read(settings);
    this.#comparison = null;
    this.#fresh = true;
  }

  moment(): Moment {
    const settings = this.#question.settings(this.#comparison !== null);
    return { view: this.name, settings, events: undefined, at: undefined };
  }

  status(): string {
    if (this.#worker !== null) return `Comparing, ${formatShare(Math.round(this.#progress.share * 20) / 20)}`;
    return (
      this.#comparison?.results.flatMap(({ traces }) => traces.map(({ advice }) => advice)).join(' ') ??
      'Nothing is compared yet.'
    );
  }

  /** A file from outside, dropped or chosen. */
  take(file: File, page: Page): void {
    this.#stop();
    if (file.size > MOST_BYTES) {
      page.notice(
        `${file.name} has ${formatBytes(file.size)}, and the page takes at most ${formatBytes(MOST_BYTES)}; use pagewalk compare in a terminal.`,
      );
      return;
    }
    this.#question.take(file);
    this.#start(page);
  }

  #start(page: Page): void {
    this.#stop();
    this.#question.wanted = false;
    this.#comparison = null;
    try {
      const task = this.#question.task();
      this.#progress = { what: 'starting', share: 0 };
      const worker = new Worker(WORKER, { type: 'module' });
      this.#worker = worker;
      worker.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => {
        void this.#hear(data, page);
      });
      worker.addEventListener('error', () => {
        this.#fail('The comparison could not be started.', page);
      });
      worker.postMessage(task);
      page.notice('');
    } catch (error) {
      page.notice(error instanceof Error ? `${error.message}.` : String(error));
    }
  }

  async #hear(message: WorkerMessage, page: Page): Promise<void> {
    if (message.kind === 'progress') {
      this.#progress = message;
      page.redraw();
      return;
    }
    if (message.kind === 'failed') {
      this.#fail(`${message.sentence.replace(/\.$/, '')}.`, page);
      return;
    }
    this.#stop();
    await this.#draw(message.comparison, page);
  }

  /** Shows the answer that came with the page, unless something else was asked meanwhile. */
  async #open(page: Page): Promise<void> {
    const { default: comparison } = await import('virtual:finished-comparison');
    if (this.#worker === null && this.#comparison === null && this.#question.isOpening) {
      await this.#draw(comparison, page);
    }
  }

  async #draw(comparison: Comparison, page: Page): Promise<void> {
    const plots = await import('./plots.js');
    this.#comparison = comparison;
    this.#plots = {
      shares: plots.sharePlot(comparison),
      windows: plots.windowPlot(comparison),
      misses: plots.missPlot(comparison),
      forks: plots.forkPlot(comparison),
    };
    page.redraw();
  }

  #fail(sentence: string, page: Page): void {
    this.#stop();
    this.#question.giveUp();
    page.notice(sentence);
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  content(page: Page): TemplateResult {
    const { wanted, missing, isOpening } = this.#question;
    if (this.#fresh || wanted) {
      this.#fresh = false;
      this.#question.wanted = false;
      queueMicrotask(() => {
        if (isOpening) void this.#open(page);
        else if (wanted) this.#start(page);
      });
    }
    return html`
      ${missing === '' ? nothing : missingFile(missing)} ${this.#form(page)}
      ${this.#worker === null ? nothing : this.#waiting(page)}
      ${this.#comparison === null ? introduction() : this.#outcome(this.#comparison)}
    `;
  }

  #form(page: Page): TemplateResult {
    const question = this.#question;
    const { file, missing } = question;
    const dropped = file?.name ?? missing;
    const sources = [
      ['sort', 'GNU sort, merging (recorded)'],
      ['python', 'python3, eight queens (recorded)'],
      [GENERATED, 'random words of 1 GiB (generated)'],
      ...(dropped === '' ? [] : [[DROPPED, dropped] as const]),
    ] as const;
    return html`<form
      class="controls question"
      @submit=${(event: Event) => {
        event.preventDefault();
        this.#start(page);
      }}
    >
      ${menu('Program', 'source', question.source, sources, (source) => {
        // What is shown below and linked to is of the program in the menu.
        question.source = source;
        this.#start(page);
      })}
      <label
        >or a file
        <input
          type="file"
          data-field="file"
          @change=${(event: Event) => {
            const chosen = (event.target as HTMLInputElement).files?.[0];
            if (chosen !== undefined) this.take(chosen, page);
          }}
      /></label>
      ${pageBoxes(question, page)} ${tlbFields(question, page)}
      <button class="main" data-do="compare">Compare<span class="unseen"> the pages chosen</span></button>
    </form>`;
  }

  #waiting(page: Page): TemplateResult {
    return html`<div class="row waiting">
      <progress max="1" value=${this.#progress.share} aria-label="Progress"></progress>
      <span>${this.#progress.what}</span>
      <button
        data-do="cancel"
        @click=${() => {
          this.#stop();
          page.notice('Cancelled.');
        }}
      >
        Cancel
      </button>
    </div>`;
  }

  #outcome({ results, reaches, windows }: Comparison): TemplateResult {
    const plots = this.#plots;
    const sizes = [...new Set(windows.map(({ pages }) => pages))];
    return html`<div class="compared">
      <div class="results">${results.map(resultTable)}</div>
      <div class="plots">
        ${figure(html`Share of user time that translation takes, least to most`, plots?.shares)}
        ${figure(
          html`Share of lookups that walk, window by window of the program
            <span class="keys-of"
              >${sizes.map((pages) => html` <i class="pages-${pages}">${MARKS[pages]} ${pages}</i>`)}</span
            >`,
          plots?.windows,
          `A mark is a window of ${formatCount(WINDOW_LOOKUPS)} lookups: what it touches, and how many of them walk. Right of the reach the TLB cannot hold all that a window touches; what walks left of it was not touched lately.`,
        )}
        ${figure(
          html`Share of lookups that walk, against footprint, random words (generated)`,
          plots?.misses,
          `${reaches.map(({ tlb, pages, bytes }) => `${tlb} reaches ${formatBytes(bytes)} with ${pages} pages`).join('; ')}.`,
        )}
        ${figure(html`What a fork of 8 MiB costs afterwards`, plots?.forks)}
      </div>
    </div>`;
  }
}

/** The marks of {@link windowPlot}, as characters. */
const MARKS: Readonly<Record<string, string>> = { '4K': '○', '2M': '×' };

function figure(title: TemplateResult, plot: Element | undefined, note = ''): TemplateResult | typeof nothing {
  if (plot === undefined) return nothing;
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${plot} ${note === '' ? nothing : html`<p class="quiet note">${note}</p>`}
  </figure>`;
}

function missingFile(name: string): TemplateResult {
  return html`<p class="drop" role="status" data-missing=${name}>
    This link compares <b>${name}</b>, a file that never left the machine it was opened on. Open ${name} again: drop it
    here, or choose it below.
  </p>`;
}

function introduction(): TemplateResult {
  return html`<section class="drop">
    <p>
      Choose a recorded program, page sizes and up to three TLBs, by name (${presetNames().join(', ')}, none) or by
      shape, such as
      <code>64x4+1536x12</code>. Or drop a trace here: what <code>pagewalk record</code> writes, or valgrind's lackey
      text, gzipped or not. It stays on this machine.
    </p>
  </section>`;
}

/** The answer in one sentence. */
function answer({ trace, pages, speedup }: TraceSummary, tlb: string): string {
  const program = `${trace} on ${tlb}`;
  if (pages === undefined || speedup === null) return `${program}: there is nothing to advise.`;
  return `With ${pages} pages ${program} would be ${formatTimes(speedup)}.`;
}

function resultTable({ tlb, prices, traces: [summary], runs }: CompareResult): TemplateResult {
  const line = (label: string, cell: (run: (typeof runs)[number]) => string): TemplateResult =>
    html`<tr>
      <th scope="row">${label}</th>
      ${runs.map((run) => html`<td>${cell(run)}</td>`)}
    </tr>`;
  return html`<section class="result" data-tlb=${tlb.name}>
    <h2>${answer(summary, tlb.name)}</h2>
    <p class="verdict">${summary.advice}</p>
    <table class="figures">
      <tr>
        <td></td>
        ${runs.map(({ pages }) => html`<th scope="col">${pages} pages</th>`)}
      </tr>
      ${line('walks', ({ counts }) => formatCount(counts.walks))}
      ${line('share of lookups that walk', ({ counts }) => formatShare(counts.lookups === 0 ? 0 : counts.walks / counts.lookups))}
      ${line('translation, share of user time', ({ time }) => formatShares(time.translationShare))}
      ${line('first touch, system time', ({ firstTouch }) => formatTime(firstTouch.ns))}
      ${line('memory wasted', ({ memory }) => formatBytes(memory.wastedBytes))}
      ${line('page tables', ({ memory }) => formatBytes(memory.pageTableBytes))}
    </table>
    <p class="quiet note one-line" title=${summary.about ?? nothing}>${summary.about ?? nothing}</p>
    <p class="quiet note">${formatBytes(summary.coverage.touchedBytes)} touched. ${tlb.description}.</p>
    ${[priceWords(prices), ...groundWords(summary), ...firstTouchWords(summary, runs)].map(
      (words) => html`<p class="quiet note">${words}</p>`,
    )}
  </section>`;
}
