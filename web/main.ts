/** The page around the views: the one shown, its story, links, keys, notices. */

import './no-eval.js';
import { html, nothing, render, type TemplateResult } from 'lit';
import type { Commands } from './header/commands.js';
import { header } from './header/header.js';
import { fitToWindow } from './header/large.js';
import { commandOf, keyList } from './header/keys.js';
import { saveText, svgOf } from './header/svg-file.js';
import { themeNow } from './header/theme.js';
import { LabsView } from './labs/view.js';
import { readLink, writeLink } from './story/link.js';
import { CompareView } from './compare/view.js';
import { ExercisesView } from './exercises/view.js';
import { SegmentView } from './segment/view.js';
import { ShareView } from './share/view.js';
import { TlbView } from './tlb/view.js';
import { TranslateView } from './translate/view.js';
import type { Position } from './story/history.js';
import { isOnTour, tourBar } from './story/tour.js';
import type { Page, Settings, View } from './story/view.js';

/** Time for reading between two steps of a run, at each of its speeds. */
const RUN_MILLISECONDS = 700;
const SPEEDS = [1, 2, 4, 0.5];
const NO_FACTS = { settings: {}, events: undefined, at: undefined };

class Explorer implements Page, Commands {
  readonly #root: HTMLElement;
  readonly #translate = new TranslateView();
  readonly #compare = new CompareView();
  readonly #segment = new SegmentView();
  readonly #views: readonly View[] = [
    this.#translate,
    this.#segment,
    new ShareView(),
    new TlbView(),
    new LabsView(),
    new ExercisesView(),
    this.#compare,
  ];
  #view: View = this.#views[0];
  /** Views with a story by now. */
  readonly #opened = new Set<View>();
  #notice = '';
  #help = false;
  #timer: number | undefined;
  #speed = SPEEDS[0];
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
      // A state of a machine is JSON; all else is a recording.
      const walks = this.#view === this.#segment ? this.#segment : this.#translate;
      const view = /\.json$/i.test(file.name) ? walks : this.#compare;
      this.#show(view);
      view.take(file, this);
    });
    addEventListener('resize', () => {
      this.#fit();
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
    this.#fit();
  }

  step(): void {
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

  back(): void {
    this.#notice = '';
    this.#stop();
    this.#view.history?.back();
    this.redraw();
  }

  reset(): void {
    this.#notice = '';
    this.#stop();
    this.#view.history?.reset();
    this.redraw();
  }

  run(): void {
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
    this.#goOn();
    this.step();
  }

  #goOn(): void {
    this.#timer = setInterval(() => {
      this.step();
    }, RUN_MILLISECONDS / this.#speed);
  }

  turnSpeed(): void {
    this.#speed = SPEEDS[(SPEEDS.indexOf(this.#speed) + 1) % SPEEDS.length];
    if (this.#timer !== undefined) {
      this.#stop();
      this.#goOn();
    }
    this.redraw();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  turnTheme(): void {
    document.documentElement.dataset.theme = themeNow() === 'dark' ? 'light' : 'dark';
  }

  turnSize(): void {
    const { dataset } = document.documentElement;
    if (dataset.size === 'large') delete dataset.size;
    else dataset.size = 'large';
    this.#fit();
  }

  /** After the page has another size, or another view. */
  #fit(): void {
    fitToWindow();
    this.#view.drawn?.(this.#root);
  }

  async exportDrawing(): Promise<void> {
    const main = this.#root.querySelector('main');
    if (main !== null) saveText(`pagewalk-${this.#view.name}.svg`, 'image/svg+xml', await svgOf(main));
  }

  #key(event: KeyboardEvent): void {
    const { target } = event;
    const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== 'Escape')) return;
    if (event.key === ' ' && target instanceof HTMLButtonElement) return;
    const view = this.#views[Number(event.key) - 1] as View | undefined;
    const command = event.key === 'Escape' && this.#help ? 'toggleHelp' : commandOf(event.key);
    if (view === undefined && command === undefined) return;
    event.preventDefault();
    if (view !== undefined) this.#show(view);
    else if (command !== undefined) void this[command]();
  }

  toggleHelp(): void {
    this.#help = !this.#help;
    this.redraw();
  }

  async copyLink(): Promise<void> {
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
    const shown = {
      views: this.#views,
      view: this.#view,
      running: this.#timer !== undefined,
      speed: this.#speed,
      help: this.#help,
    };
    return html`
      ${header(
        shown,
        (view) => {
          this.#show(view);
        },
        this,
      )}
      ${this.#help ? keyList() : nothing}
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
}

// A page that shows this one in a frame says so in its address: `?embed#translate`.
if (new URLSearchParams(location.search).has('embed')) document.documentElement.dataset.embed = '';
const root = document.getElementById('page');
if (root !== null) new Explorer(root);
