/** The compare view: page sizes and TLB shapes over a recording, worked out in a worker, with plots. */

import { html, nothing, type TemplateResult } from 'lit';
import { parseTlb } from '../../hw/tlb/parse.js';
import { presetNames } from '../../hw/tlb/presets.js';
import type { CompareResult } from '../../src/report/compare-result.js';
import { formatBytes, formatCount, formatShare, formatShort } from '../../src/report/units.js';
import pythonAddress from '../../src/trace/shipped/python.pwt?url';
import sortAddress from '../../src/trace/shipped/sort.pwt?url';
import { menu, valueOf } from '../form.js';
import type { Moment } from '../link.js';
import type { Page, View } from '../view.js';
import type { Comparison, CompareTask, WorkerMessage } from './messages.js';
import { MOST_BYTES } from './recordings.js';

const SHIPPED: Readonly<Record<string, string>> = { python: pythonAddress, sort: sortAddress };
const GENERATED = 'uniform';
const DROPPED = 'dropped';
/** More shapes at once make plots that nobody reads. */
const MOST_TLBS = 3;

export class CompareView implements View {
  readonly name = 'compare';
  readonly title = 'Compare';
  readonly history = null;
  #source = 'python';
  #tlbs = 'skylake';
  #file: File | null = null;
  #worker: Worker | null = null;
  #progress = { what: '', share: 0 };
  #comparison: Comparison | null = null;
  #plots: readonly Element[] = [];
  /** The link asks for the result, not only for the question. */
  #wanted = false;

  open({ settings }: Moment): void {
    const { source = 'python', tlb = 'skylake', run, ...others } = settings;
    const unknown = Object.keys(others).at(0);
    if (unknown !== undefined) throw new RangeError(`this view has no setting '${unknown}'`);
    if (!Object.hasOwn(SHIPPED, source) && source !== GENERATED) {
      throw new RangeError(
        `source '${source}' cannot be linked to; choose from ${Object.keys(SHIPPED).join(', ')}, ${GENERATED}`,
      );
    }
    checkTlbs(tlb);
    this.#source = source;
    this.#tlbs = tlb;
    this.#wanted = run === '1';
    this.#comparison = null;
  }

  /** A dropped file stays on this machine: a link cannot name it. */
  moment(): Moment {
    const linkable = this.#source !== DROPPED;
    const settings = {
      ...(linkable && this.#source !== 'python' ? { source: this.#source } : {}),
      ...(this.#tlbs === 'skylake' ? {} : { tlb: this.#tlbs }),
      ...(linkable && this.#comparison !== null ? { run: '1' } : {}),
    };
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
    this.#file = file;
    this.#source = DROPPED;
    this.#start(page);
  }

  #task(): CompareTask {
    const tlbs = checkTlbs(this.#tlbs);
    if (this.#source === DROPPED && this.#file !== null) {
      return { recording: { name: this.#file.name, data: this.#file }, tlbs };
    }
    if (this.#source === GENERATED) return { recording: null, tlbs };
    return { recording: { name: this.#source, data: new URL(SHIPPED[this.#source], location.href).href }, tlbs };
  }

  #start(page: Page): void {
    this.#stop();
    this.#wanted = false;
    try {
      const task = this.#task();
      this.#comparison = null;
      this.#progress = { what: 'starting', share: 0 };
      const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
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
    const { missPlot, cyclePlot, forkPlot } = await import('./plots.js');
    this.#comparison = message.comparison;
    this.#plots = [cyclePlot, missPlot, forkPlot].map((plot) => plot(message.comparison));
    page.redraw();
  }

  #fail(sentence: string, page: Page): void {
    this.#stop();
    if (this.#source === DROPPED) this.#source = 'python';
    page.notice(sentence);
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  content(page: Page): TemplateResult {
    if (this.#wanted) {
      this.#wanted = false;
      queueMicrotask(() => {
        this.#start(page);
      });
    }
    return html`
      ${this.#form(page)} ${this.#worker === null ? nothing : this.#waiting(page)}
      ${this.#comparison === null ? introduction() : this.#outcome(this.#comparison)}
    `;
  }

  #form(page: Page): TemplateResult {
    const sources = [
      ['python', 'python3, eight queens (recorded)'],
      ['sort', 'GNU sort, merging (recorded)'],
      [GENERATED, 'random words of 1 GiB (generated)'],
      ...(this.#file === null ? [] : [[DROPPED, this.#file.name] as const]),
    ] as const;
    return html`<form
      class="controls"
      @submit=${(event: Event) => {
        event.preventDefault();
        this.#start(page);
      }}
    >
      ${menu('Program', 'source', this.#source, sources, (source) => {
        this.#source = source;
        page.redraw();
      })}
      <label
        >TLBs
        <input
          data-field="tlb"
          size="26"
          list="presets"
          spellcheck="false"
          .value=${this.#tlbs}
          @input=${(event: Event) => {
            this.#tlbs = valueOf(event);
          }}
      /></label>
      <datalist id="presets">${presetNames().map((name) => html`<option value=${name}></option>`)}</datalist>
      <button class="main" data-do="compare">Compare</button>
      <label
        >or a file
        <input
          type="file"
          data-field="file"
          @change=${(event: Event) => {
            const file = (event.target as HTMLInputElement).files?.[0];
            if (file !== undefined) this.take(file, page);
          }}
      /></label>
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

  #outcome(comparison: Comparison): TemplateResult {
    const [cycles, misses, forks] = this.#plots;
    return html`
      ${comparison.results.map(resultTable)}
      <div class="plots">
        <figure>
          <figcaption>
            Where the cycles go
            <span class="keys-of"> <i class="l1">L1 hit</i> <i class="l2">L2 hit</i> <i class="walks">walk</i></span>
          </figcaption>
          ${cycles}
        </figure>
        <figure>
          <figcaption>Share of lookups that walk, against footprint, random words (generated)</figcaption>
          ${misses}
          <p class="quiet">
            ${comparison.reaches.map(({ tlb, pages, bytes }) => `${tlb} reaches ${formatBytes(bytes)} with ${pages} pages`).join('; ')}.
          </p>
        </figure>
        <figure>
          <figcaption>What a fork of 8 MiB costs afterwards</figcaption>
          ${forks}
        </figure>
      </div>
    `;
  }
}

/** @throws RangeError for shapes that cannot be, or too many. */
function checkTlbs(text: string): string[] {
  // Arrays of one level are parted by commas too, so shapes are parted by blanks or semicolons.
  const names = text.split(/[\s;]+/).filter((name) => name !== '');
  if (names.length < 1 || names.length > MOST_TLBS) {
    throw new RangeError(
      `TLBs '${text}': give 1 to ${MOST_TLBS} shapes with blanks between, such as skylake zen4 64x4+1536x12`,
    );
  }
  for (const name of names) parseTlb(name);
  return names;
}

function introduction(): TemplateResult {
  return html`<section class="drop">
    <p>
      Choose a recorded program and up to three TLBs, by name (${presetNames().join(', ')}, none) or by shape, such as
      <code>64x4+1536x12</code>. Or drop a trace here: what <code>pagewalk record</code> writes, or valgrind's lackey
      text, gzipped or not. It stays on this machine.
    </p>
  </section>`;
}

function resultTable({ tlb, traces: [summary], runs }: CompareResult): TemplateResult {
  const line = (label: string, cell: (run: (typeof runs)[number]) => string): TemplateResult =>
    html`<tr>
      <th scope="row">${label}</th>
      ${runs.map((run) => html`<td>${cell(run)}</td>`)}
    </tr>`;
  return html`<section class="result" data-tlb=${tlb.name}>
    <h2>${summary.trace} on ${tlb.name}: <span class="verdict">${summary.advice}</span></h2>
    <p class="quiet one-line" title=${summary.about ?? nothing}>${summary.about ?? nothing}</p>
    <p class="quiet">${formatBytes(summary.touchedBytes)} touched. ${tlb.description}.</p>
    <table class="figures">
      <tr>
        <td></td>
        ${runs.map(({ pages }) => html`<th scope="col">${pages} pages</th>`)}
      </tr>
      ${line('walks', ({ counts }) => formatCount(counts.walks))}
      ${line('share of lookups that walk', ({ counts }) => formatShare(counts.lookups === 0 ? 0 : counts.walks / counts.lookups))}
      ${line('model cycles an access', ({ perAccess }) => formatShort(perAccess.cycles))}
      ${line('memory wasted', ({ memory }) => formatBytes(memory.wastedBytes))}
      ${line('page tables', ({ memory }) => formatBytes(memory.pageTableBytes))}
    </table>
  </section>`;
}
