/** The page around the views: tabs, the buttons to step, links, keys, notices. */

import './no-eval.js';
import { html, nothing, render, type TemplateResult } from 'lit';
import { valueOf } from './form.js';
import { LabsView } from './labs/view.js';
import { readLink, writeLink } from './story/link.js';
import { CompareView } from './compare/view.js';
import { ExercisesView } from './exercises/view.js';
import { ShareView } from './share/view.js';
import { TranslateView } from './translate/view.js';
import type { Position } from './story/history.js';
import { isOnTour, tourBar } from './story/tour.js';
import type { Page, Settings, View } from './story/view.js';

/** Time for reading between two steps of a run. */
const RUN_MILLISECONDS = 700;
const NO_FACTS = { settings: {}, events: undefined, at: undefined };

const KEYS: readonly (readonly [string, string])[] = [
  ['→ or n', 'one step on'],
  ['← or b', 'one step back'],
  ['Space', 'run, or stop running'],
  ['Home or r', 'back to the start'],
  ['1 to 5', 'the views'],
  ['t', 'light or dark'],
  ['Tab, Enter', 'move to a bit or button, press it'],
  ['?', 'these keys'],
];

class Explorer implements Page {
  readonly #root: HTMLElement;
  readonly #compare = new CompareView();
  readonly #views: readonly View[] = [
    new TranslateView(),
    new ShareView(),
    new LabsView(),
    this.#compare,
    new ExercisesView(),
  ];
  #view: View = this.#views[0];
  /** Views with a story by now. */
  readonly #opened = new Set<View>();
  #notice = '';
  #help = false;
  #timer: number | undefined;
  #link = '';

  constructor(root: HTMLElement) {
    this.#root = root;
    root.replaceChildren();
    this.#follow();
    addEventListener('hashchange', () => {
      if (location.hash !== this.#link) this.#follow();
    });
    addEventListener('dragover', (event) => {
      event.preventDefault();
    });
    addEventListener('drop', (event) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file === undefined) return;
      this.#show(this.#compare);
      this.#compare.take(file, this);
    });
    addEventListener('resize', () => {
      this.#view.drawn?.(root);
    });
    addEventListener('keydown', (event) => {
      this.#key(event);
    });
  }

  /** Opens the link in the page's address. */
  #follow(): void {
    this.#stop();
    this.#notice = '';
    this.#guard(() => {
      const moment = readLink(location.hash);
      const view = this.#views.find(({ name }) => name === moment.view);
      if (view === undefined && moment.view !== '') throw new RangeError(`there is no view '${moment.view}'`);
      this.#view = view ?? this.#views[0];
      this.#view.open(moment);
      this.#opened.add(this.#view);
    }, 'This link leads nowhere: ');
    this.#ensureStory();
    this.redraw();
  }

  /** A view not opened by a link begins with its own story. */
  #ensureStory(): void {
    if (this.#opened.has(this.#view)) return;
    this.#view.open({ ...NO_FACTS, view: this.#view.name });
    this.#opened.add(this.#view);
  }

  /** An error becomes a sentence, and the page goes on. */
  #guard(action: () => void, before = ''): void {
    try {
      action();
    } catch (error) {
      this.#notice = `${before}${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  act(words: string, whole = false): void {
    this.#stop();
    this.#notice = '';
    this.#guard(() => {
      this.#view.history?.act(words, whole);
    });
    this.redraw();
  }

  change(settings: Settings, at?: Position): void {
    this.#stop();
    this.#notice = '';
    this.#guard(() => {
      this.#view.open({ ...NO_FACTS, view: this.#view.name, settings, at });
    });
    this.redraw();
  }

  notice(sentence: string): void {
    this.#notice = sentence;
    this.redraw();
  }

  /** The browser's own Back leads to the view before, as it was left. */
  #show(view: View): void {
    this.#stop();
    this.#notice = '';
    if (view !== this.#view) history.pushState(null, '', this.#link);
    this.#view = view;
    this.#ensureStory();
    this.redraw();
  }

  #step(): void {
    this.#notice = '';
    const story = this.#view.history;
    if (story?.step() !== true) {
      this.#stop();
      // At the end of a branch a step leads back to the tour.
      story?.resume();
    }
    this.redraw();
  }

  /** The tour from its start, or from where it was left. */
  #tour(): void {
    this.#stop();
    this.#notice = '';
    const story = this.#view.history;
    if (story === null) return;
    if (story.tour !== null) story.resume();
    else if (isOnTour(this.#view)) {
      story.reset();
      story.step();
    } else {
      const { view, settings } = this.#view.moment();
      this.#view.open({ view, settings, events: undefined, at: { events: 1, stage: 1 } });
    }
    this.redraw();
  }

  #back(): void {
    this.#notice = '';
    this.#stop();
    this.#view.history?.back();
    this.redraw();
  }

  #reset(): void {
    this.#notice = '';
    this.#stop();
    this.#view.history?.reset();
    this.redraw();
  }

  #run(): void {
    if (this.#timer !== undefined) {
      this.#stop();
      this.redraw();
      return;
    }
    const story = this.#view.history;
    if (story?.atEnd === true) {
      if (story.tour === null) story.reset();
      else story.resume();
    }
    this.#timer = setInterval(() => {
      this.#step();
    }, RUN_MILLISECONDS);
    this.#step();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #turnTheme(): void {
    const root = document.documentElement;
    const dark = root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
    root.dataset.theme = dark === 'dark' ? 'light' : 'dark';
  }

  #key(event: KeyboardEvent): void {
    const { target } = event;
    const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== 'Escape')) return;
    if (event.key === ' ' && target instanceof HTMLButtonElement) return;
    const view = this.#views[Number(event.key) - 1] as View | undefined;
    const action =
      view === undefined
        ? this.#actionOf(event.key)
        : () => {
            this.#show(view);
          };
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  #actionOf(key: string): (() => void) | undefined {
    const actions: Readonly<Record<string, () => void>> = {
      ArrowRight: () => {
        this.#step();
      },
      n: () => {
        this.#step();
      },
      ArrowLeft: () => {
        this.#back();
      },
      b: () => {
        this.#back();
      },
      ' ': () => {
        this.#run();
      },
      Home: () => {
        this.#reset();
      },
      r: () => {
        this.#reset();
      },
      t: () => {
        this.#turnTheme();
      },
      '?': () => {
        this.#toggleHelp();
      },
      Escape: () => {
        if (this.#help) this.#toggleHelp();
      },
    };
    return Object.hasOwn(actions, key) ? actions[key] : undefined;
  }

  #toggleHelp(): void {
    this.#help = !this.#help;
    this.redraw();
  }

  async #copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.notice('The link to this moment is copied.');
    } catch {
      this.notice('The browser does not let the page copy; the link is in its address bar.');
    }
  }

  redraw(): void {
    this.#link = writeLink(this.#view.moment());
    history.replaceState(null, '', this.#link);
    document.title = `${this.#view.title} - pagewalk explorer`;
    render(this.#page(), this.#root);
    this.#view.drawn?.(this.#root);
  }

  #page(): TemplateResult {
    return html`
      <header>
        <h1>pagewalk</h1>
        <select
          class="narrow"
          data-field="view"
          aria-label="View"
          @change=${(event: Event) => {
            const chosen = this.#views.find(({ name }) => name === valueOf(event));
            if (chosen !== undefined) this.#show(chosen);
          }}
        >
          ${this.#views.map(
            (view) => html`<option value=${view.name} .selected=${view === this.#view}>${view.title}</option>`,
          )}
        </select>
        <nav aria-label="Views">
          ${this.#views.map(
            (view, i) =>
              html`<button
                aria-current=${view === this.#view ? 'page' : 'false'}
                title="Key ${i + 1}"
                @click=${() => {
                  this.#show(view);
                }}
              >
                ${view.title}
              </button>`,
          )}
        </nav>
        ${this.#transport()}
        <div class="tools">
          <button @click=${() => this.#copyLink()} title="Copy a link to this moment">
            <span class="sign">↗</span><span class="word">Link</span>
          </button>
          <button
            @click=${() => {
              this.#turnTheme();
            }}
            title="Light or dark (key t)"
          >
            <span class="sign">◐</span><span class="word">Theme</span>
          </button>
          <button
            aria-expanded=${String(this.#help)}
            @click=${() => {
              this.#toggleHelp();
            }}
            title="Keys (key ?)"
          >
            <span class="sign">?</span><span class="word">Keys</span>
          </button>
        </div>
      </header>
      ${this.#help ? this.#keys() : nothing}
      <p class="notice" role="alert" ?hidden=${this.#notice === ''}>${this.#notice}</p>
      <main data-view=${this.#view.name}>
        ${tourBar(this.#view, () => {
          this.#tour();
        })}
        ${this.#view.content(this)}
      </main>
      <p class="unseen" role="status">${this.#view.status()}</p>
    `;
  }

  #transport(): TemplateResult | typeof nothing {
    const { history: story } = this.#view;
    if (story === null) return nothing;
    const running = this.#timer !== undefined;
    return html`<div class="transport" role="group" aria-label="Story">
      <button
        data-do="reset"
        ?disabled=${story.atStart}
        title="Back to the start (key r)"
        @click=${() => {
          this.#reset();
        }}
      >
        <span class="sign">|◀</span><span class="word">Reset</span>
      </button>
      <button
        data-do="back"
        ?disabled=${story.atStart}
        title="One step back (key b)"
        @click=${() => {
          this.#back();
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
          this.#step();
        }}
      >
        <span class="word">${story.atEnd && story.tour !== null ? 'Resume' : 'Step'} </span>▶
      </button>
      <button
        data-do="run"
        aria-pressed=${String(running)}
        title="Run or stop (Space)"
        @click=${() => {
          this.#run();
        }}
      >
        <span class="sign">${running ? '■' : '▶▶'}</span><span class="word">${running ? 'Stop' : 'Run'}</span>
      </button>
    </div>`;
  }

  #keys(): TemplateResult {
    return html`<section class="keys" aria-label="Keys">
      <dl>
        ${KEYS.map(
          ([key, meaning]) =>
            html`<div>
              <dt>${key}</dt>
              <dd>${meaning}</dd>
            </div>`,
        )}
      </dl>
    </section>`;
  }
}

const root = document.getElementById('page');
if (root !== null) new Explorer(root);
