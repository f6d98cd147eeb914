/** The header of the page: the views, the buttons to step through a story, and the page's own buttons. */

import { html, nothing, type TemplateResult } from 'lit';
import { valueOf } from '../form.js';
import type { View } from '../story/view.js';
import type { Commands } from './commands.js';

/** The page as its header shows it. */
interface Shown {
  readonly views: readonly View[];
  readonly view: View;
  /** The story runs by itself. */
  readonly running: boolean;
  /** The list of keys is open. */
  readonly help: boolean;
}

/** @param show opens a view */
export function header(shown: Shown, show: (view: View) => void, commands: Commands): TemplateResult {
  return html`<header>
    <h1>pagewalk</h1>
    ${viewMenu(shown, show)} ${viewTabs(shown, show)} ${transport(shown, commands)} ${tools(shown, commands)}
  </header>`;
}

/** In place of the tabs where the window is narrow. */
function viewMenu({ views, view: current }: Shown, show: (view: View) => void): TemplateResult {
  return html`<select
    class="narrow"
    data-field="view"
    aria-label="View"
    @change=${(event: Event) => {
      const chosen = views.find(({ name }) => name === valueOf(event));
      if (chosen !== undefined) show(chosen);
    }}
  >
    ${views.map((view) => html`<option value=${view.name} .selected=${view === current}>${view.title}</option>`)}
  </select>`;
}

function viewTabs({ views, view: current }: Shown, show: (view: View) => void): TemplateResult {
  return html`<nav aria-label="Views">
    ${views.map(
      (view, i) =>
        html`<button
          aria-current=${view === current ? 'page' : 'false'}
          title="Key ${i + 1}"
          @click=${() => {
            show(view);
          }}
        >
          ${view.title}
        </button>`,
    )}
  </nav>`;
}

function transport({ view, running }: Shown, commands: Commands): TemplateResult | typeof nothing {
  const { history: story } = view;
  if (story === null) return nothing;
  return html`<div class="transport" role="group" aria-label="Story">
    <button
      data-do="reset"
      ?disabled=${story.atStart}
      title="Back to the start (key r)"
      @click=${() => {
        commands.reset();
      }}
    >
      <span class="sign">|◀</span><span class="word">Reset</span>
    </button>
    <button
      data-do="back"
      ?disabled=${story.atStart}
      title="One step back (key b)"
      @click=${() => {
        commands.back();
      }}
    >
      ◀<span class="word"> Back</span>
    </button>
    <button
      data-do="step"
      class="main"
      ?disabled=${story.atEnd && story.tour === null}
      title="One step on (key n)"
      @click=${() => {
        commands.step();
      }}
    >
      <span class="word">${story.atEnd && story.tour !== null ? 'Resume' : 'Step'} </span>▶
    </button>
    <button
      data-do="run"
      aria-pressed=${String(running)}
      title="Run or stop (Space)"
      @click=${() => {
        commands.run();
      }}
    >
      <span class="sign">${running ? '■' : '▶▶'}</span><span class="word">${running ? 'Stop' : 'Run'}</span>
    </button>
  </div>`;
}

function tools({ help }: Shown, commands: Commands): TemplateResult {
  return html`<div class="tools">
    <button
      title="Copy a link to this moment"
      @click=${() => {
        void commands.copyLink();
      }}
    >
      <span class="sign">↗</span><span class="word">Link</span>
    </button>
    <button
      class="roomy"
      data-do="export"
      title="Save the drawing as SVG (key e)"
      @click=${() => {
        commands.exportDrawing();
      }}
    >
      Export
    </button>
    <button
      class="roomy"
      data-do="large"
      title="Larger, for a lecture (key p)"
      @click=${() => {
        commands.turnSize();
      }}
    >
      Large
    </button>
    <button
      title="Light or dark (key t)"
      @click=${() => {
        commands.turnTheme();
      }}
    >
      <span class="sign">◐</span><span class="word">Theme</span>
    </button>
    <button
      aria-expanded=${String(help)}
      title="Keys (key ?)"
      @click=${() => {
        commands.toggleHelp();
      }}
    >
      <span class="sign">?</span><span class="word">Keys</span>
    </button>
  </div>`;
}
