/** The share view: processes, their regions and tables, and the memory between them. */

import { html, nothing, svg, type TemplateResult } from 'lit';
import { menu } from '../form.js';
import { type Page, StoryView } from '../story/view.js';
import { drawLinks } from './links.js';
import { sharingMap } from './map.js';
import type { Piece, ProcessDrawing, Row, ShareMachine, SharingCount } from './machine.js';
import { PagedShare } from './paged.js';
import { SegmentedShare } from './segmented.js';

const SCHEMES = [
  ['paging', 'paging'],
  ['segmentation', 'segmentation'],
] as const;

export class ShareView extends StoryView<ShareMachine> {
  readonly name = 'share';
  readonly title = 'Share and fork';
  readonly tourIs = 'What processes share, what a fork shares, and who pays for the first write.';

  constructor() {
    super({ scheme: ['paging', 'segmentation'] });
  }

  protected boot(): ShareMachine {
    return this.settings.scheme === 'paging' ? new PagedShare() : new SegmentedShare();
  }

  /** A fork, a copy, a re-use, memory shared for good, a grandchild, an exec and an exit. */
  protected story(): readonly string[] {
    return [
      'spawn',
      'read.1.code.0',
      'write.1.data.0',
      'write.1.data.1',
      'write.1.shared.0',
      'fork.1',
      'write.2.data.0',
      'write.1.data.0',
      'read.2.data.2',
      'write.2.shared.0',
      'fork.2',
      'write.3.data.0',
      'exec.2',
      'write.3.data.1',
      'exit.1',
      'write.3.data.1',
    ];
  }

  protected override opening(): { events: number; stage: number } {
    return { events: 6, stage: 1 };
  }

  status(): string {
    return this.machine.happened;
  }

  override drawn(root: HTMLElement): void {
    const board = root.querySelector<HTMLElement>('.board');
    if (board !== null) drawLinks(board);
  }

  content(page: Page): TemplateResult {
    const { machine, history, settings } = this;
    const { processes, memory } = machine;
    const side = (odd: boolean): readonly ProcessDrawing[] => processes.filter((_, i) => (i % 2 === 0) === odd);
    const paged = settings.scheme === 'paging';
    return html`
      <div class="controls">
        ${menu('Memory by', 'scheme', settings.scheme, SCHEMES, (scheme) => {
          const { events, position: at, tour } = history;
          this.open({ view: this.name, settings: { scheme }, events, at, ...(tour === null ? {} : { tour }) });
          page.redraw();
        })}
        <button
          data-do="spawn"
          @click=${() => {
            page.act('spawn');
          }}
        >
          New process
        </button>
        <p class="now"><strong>${machine.happened}</strong></p>
      </div>
      ${counts(machine.counts)} ${sharingMap(processes, memory)} ${legend()} ${paged ? whyAbsent(processes) : nothing}
      <div class="board">
        <svg class="links" aria-hidden="true"></svg>
        <div class="side">${side(true).map((process) => this.#process(process, page, paged))}</div>
        <section class="memory" aria-label="Physical memory">
          <h2>${paged ? 'Frames' : 'Segments in physical memory'}</h2>
          ${memory.map((piece) => pieceBox(piece, processes))}
          ${memory.length === 0 ? html`<p class="quiet">nothing is mapped</p>` : nothing}
        </section>
        <div class="side">${side(false).map((process) => this.#process(process, page, paged))}</div>
      </div>
    `;
  }

  #process({ pid, parent, tables, rows }: ProcessDrawing, page: Page, paged: boolean): TemplateResult {
    const button = (verb: string, text: string): TemplateResult =>
      html`<button
        data-do="${verb}.${pid}"
        @click=${() => {
          page.act(`${verb}.${pid}`);
        }}
      >
        ${text}<span class="unseen"> process ${pid}</span>
      </button>`;
    return html`<article class="process process-${(pid - 1) % 4}" data-pid=${pid}>
      <h2>
        Process ${pid} <span class="quiet">${parent === null ? nothing : `child of ${parent}`}</span>
        <span class="row">${button('fork', 'Fork')}${button('exec', 'Exec')}${button('exit', 'Exit')}</span>
      </h2>
      <p class="quiet">${tables}</p>
      <table>
        <tr class="unseen">
          <th>Region</th>
          <th>${paged ? 'Entry' : 'Descriptor'}</th>
          <th>Access</th>
        </tr>
        ${rows.map((row) => rowLine(pid, row, page, paged && row.region.pages > 1))}
      </table>
    </article>`;
  }
}

/** The lines and words of the states. */
function legend(): TemplateResult {
  const states = [
    ['writable', 'writable: the process may write'],
    ['copy-on-write', 'copy on write: read-only until somebody writes'],
    ['read-only', 'read-only for good, or not written yet'],
  ] as const;
  return html`<ul class="states" aria-label="Legend">
    ${states.map(
      ([state, words]) =>
        html`<li class="state-${state}">
          <svg width="34" height="12" aria-hidden="true">${svg`<line x1="0" x2="34" y1="6" y2="6" />`}</svg> ${words}
        </li>`,
    )}
    <li>× 2: two entries lead here</li>
  </ul>`;
}

/** A child without the pages of its parent looks wrong, and is right. */
function whyAbsent(processes: readonly ProcessDrawing[]): TemplateResult | typeof nothing {
  const has = (process: ProcessDrawing, name: string): boolean =>
    process.rows.some(({ region, state }) => region.name === name && state !== 'absent');
  const missing = ['code', 'shared'].filter((name) =>
    processes.some((child) => {
      const parent = processes.find(({ pid }) => pid === child.parent);
      return parent !== undefined && has(parent, name) && !has(child, name);
    }),
  );
  if (missing.length === 0) return nothing;
  return html`<p class="why">
    <b>Why ${missing.length > 1 ? 'are' : 'is'} ${missing.join(' and ')} of the child not present?</b> It shares the
    memory all the same. Fork copies only entries that nobody could find again: pages of files and shared memory stay in
    the page cache, and the child's first access brings each back by a fault. Linux does so, too, for a quicker fork.
  </p>`;
}

function rowLine(
  pid: number,
  { region, page: number, place, entry, state, to }: Row,
  page: Page,
  numbered: boolean,
): TemplateResult {
  const words = `${pid}.${region.name}.${number}`;
  const button = (verb: string): TemplateResult =>
    html`<button
      data-do="${verb}.${words}"
      aria-label="${verb} ${region.name} ${number} of process ${pid}"
      title=${verb}
      @click=${() => {
        page.act(`${verb}.${words}`);
      }}
    >
      ${verb}
    </button>`;
  return html`<tr
    class="state-${state.replaceAll(' ', '-')}"
    data-to=${to ?? nothing}
    data-row="${region.name}.${number}"
  >
    <th scope="row">${region.name}${numbered ? html`[${number}]` : nothing}<small>${place}</small></th>
    <td><b>${state === 'absent' ? 'not present' : state}</b><small>${entry}</small></td>
    <td class="row">${button('read')}${button('write')}</td>
  </tr>`;
}

function pieceBox({ id, title, about, count, byte }: Piece, processes: readonly ProcessDrawing[]): TemplateResult {
  if (count === null) return html`<div class="piece hole"><code>${title}</code> <span>${about}</span></div>`;
  const users = processes.filter(({ rows }) => rows.some(({ to }) => to === id)).map(({ pid }) => pid);
  return html`<div class="piece" data-piece=${id}>
    <b><code>${title}</code></b> <span>${about}</span>
    <span class="count" title="how many entries lead here">× ${count}</span>
    <small>${users.length === 0 ? 'no process' : `process ${users.join(', ')}`}; first byte ${byte}</small>
  </div>`;
}

function counts(list: readonly SharingCount[]): TemplateResult {
  return html`<dl class="counts">
    ${list.map(
      ({ name, value, change }) =>
        html`<div data-count=${name} class=${change === 0 ? '' : 'changed'}>
          <dt>${name}</dt>
          <dd>
            ${value.toLocaleString('en-US')}${change === 0 ? nothing : html` <small>${change > 0 ? '+' : '−'}${Math.abs(change).toLocaleString('en-US')}</small>`}
          </dd>
        </div>`,
    )}
  </dl>`;
}
