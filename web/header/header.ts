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
  /** How many times as fast as usual it runs. */
  readonly speed: number;
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

/** A button of the header: a sign where there is little room, and its word elsewhere. */
interface Part {
  readonly does: string;
  readonly sign: string;
  readonly word: string;
  readonly title: string;
  readonly act: () => void;
  /** The sign stays beside the word, before or after it. */
  readonly both?: 'before' | 'after';
  readonly kind?: string;
  readonly disabled?: boolean;
  /** For a switch, or a part of the page that opens. */
  readonly pressed?: boolean;
  readonly expanded?: boolean;
}

function part({ does, sign, word, title, act, both, kind, disabled = false, pressed, expanded }: Part): TemplateResult {
  const sides = {
    before: html`${sign} <span class="word">${word}</span>`,
    after: html`<span class="word">${word} </span>${sign}`,
  };
  return html`<button
    data-do=${does}
    class=${kind ?? nothing}
    aria-label=${word}
    aria-pressed=${pressed === undefined ? nothing : String(pressed)}
    aria-expanded=${expanded === undefined ? nothing : String(expanded)}
    ?disabled=${disabled}
    title=${title}
    @click=${act}
  >
    ${both === undefined ? html`<span class="sign">${sign}</span><span class="word">${word}</span>` : sides[both]}
  </button>`;
}

function transport(shown: Shown, commands: Commands): TemplateResult | typeof nothing {
  const { history: story } = shown.view;
  if (story === null) return nothing;
  return html`<div class="transport" role="group" aria-label="Story">
    ${stepButtons(story, commands)} ${runButtons(shown, commands)}
  </div>`;
}

function stepButtons(story: NonNullable<View['history']>, commands: Commands): TemplateResult {
  const waits = story.atEnd && story.tour !== null;
  return html`
    ${part({
      does: 'reset',
      sign: '|◀',
      word: 'Reset',
      title: 'Back to the start (key r)',
      disabled: story.atStart,
      act: () => {
        commands.reset();
      },
    })}
    ${part({
      does: 'back',
      sign: '◀',
      word: 'Back',
      both: 'before',
      title: 'One step back (key b)',
      disabled: story.atStart,
      act: () => {
        commands.back();
      },
    })}
    ${part({
      does: 'step',
      sign: '▶',
      word: waits ? 'Resume' : 'Step',
      both: 'after',
      kind: 'main',
      title: 'One step on (key n)',
      disabled: story.atEnd && story.tour === null,
      act: () => {
        commands.step();
      },
    })}
  `;
}

function runButtons({ running, speed }: Shown, commands: Commands): TemplateResult {
  return html`
    ${part({
      does: 'run',
      sign: running ? '■' : '▶▶',
      word: running ? 'Stop' : 'Run',
      title: 'Run or stop (Space)',
      pressed: running,
      act: () => {
        commands.run();
      },
    })}
    ${part({
      does: 'speed',
      sign: `${speed}×`,
      word: `Speed ${speed}×`,
      kind: 'roomy speed',
      title: 'How fast it runs (key s)',
      act: () => {
        commands.turnSpeed();
      },
    })}
  `;
}

function tools({ help }: Shown, commands: Commands): TemplateResult {
  return html`<div class="tools">
    ${part({
      does: 'link',
      sign: '↗',
      word: 'Link',
      title: 'Copy a link to this moment',
      act: () => {
        void commands.copyLink();
      },
    })}
    ${part({
      does: 'export',
      sign: '⤓',
      word: 'Export',
      kind: 'roomy',
      title: 'Save the drawing as SVG (key e)',
      act: () => {
        void commands.exportDrawing();
      },
    })}
    ${part({
      does: 'large',
      sign: '⤢',
      word: 'Large',
      kind: 'roomy',
      title: 'Larger, for a lecture (key p)',
      act: () => {
        commands.turnSize();
      },
    })}
    ${part({
      does: 'theme',
      sign: '◐',
      word: 'Theme',
      title: 'Light or dark (key t)',
      act: () => {
        commands.turnTheme();
      },
    })}
    ${part({
      does: 'keys',
      sign: '?',
      word: 'Keys',
      title: 'Keys (key ?)',
      expanded: help,
      act: () => {
        commands.toggleHelp();
      },
    })}
  </div>`;
}
