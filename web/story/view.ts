/** The face of every view of the page: settings, a story to step through, and a drawing of the machine as it stands. */

import type { TemplateResult } from 'lit';
import { History, type Machine, type Position } from './history.js';
import type { Moment } from './link.js';

export type Settings = Readonly<Record<string, string>>;

/** The services of the page to a view. */
export interface Page {
  /** Makes an event happen, shown from its first stage on or as a whole; refusals become a notice. */
  act(words: string, whole?: boolean): void;
  /** Begins the view's story again with other settings, at this position if one is given. */
  change(settings: Settings, at?: Position): void;
  /** Draws again, after something other than an event. */
  redraw(): void;
  /** Shows a sentence above the view; an empty one takes it away. */
  notice(sentence: string): void;
}

/** A view as the page knows it, with any machine. */
export interface View {
  readonly name: string;
  readonly title: string;
  /** What the tour shows, in a sentence; empty for a view without a tour. */
  readonly tourIs: string;
  /** The events of the tour; those of a link may be others. */
  readonly tour: readonly string[];
  /** Absent for a view without steps. */
  readonly history: Pick<
    History<Machine>,
    'step' | 'back' | 'reset' | 'resume' | 'act' | 'atStart' | 'atEnd' | 'position' | 'events' | 'tour'
  > | null;
  /** @throws RangeError with a sentence for an impossible link. */
  open(moment: Moment): void;
  moment(): Moment;
  content(page: Page): TemplateResult;
  /** Called once the content is in the page and laid out. */
  drawn?(root: HTMLElement): void;
  /** The event at this point of the story, in a few words; announced to people without sight. */
  status(): string;
}

export abstract class StoryView<M extends Machine> implements View {
  abstract readonly name: string;
  abstract readonly title: string;
  abstract readonly tourIs: string;

  get tour(): readonly string[] {
    return this.story();
  }

  #history: History<M> | null = null;
  settings: Settings;

  /** @param choices the values of each setting, the first being the default; null: any text, or none */
  constructor(readonly choices: Readonly<Record<string, readonly [string, ...string[]] | null>>) {
    this.settings = this.checked({});
  }

  /** Made when it is first needed: some machines take a while. */
  get history(): History<M> {
    this.#history ??= new History(() => this.boot());
    return this.#history;
  }

  /** A machine at the start of the story. */
  protected abstract boot(): M;
  /** The events left to step through before anybody does something else. */
  protected abstract story(): readonly string[];
  drawn?(root: HTMLElement): void;
  abstract content(page: Page): TemplateResult;
  abstract status(): string;

  get machine(): M {
    return this.history.machine;
  }

  open({ settings, events, at, tour }: Moment): void {
    const before = this.settings;
    try {
      this.settings = this.checked(settings);
      const history = new History(() => this.boot());
      history.load(events ?? this.story(), at ?? this.opening(), tour);
      this.#history = history;
    } catch (error) {
      this.settings = before;
      throw error;
    }
  }

  /** A view's place before the first step. */
  protected opening(): Moment['at'] & object {
    return { events: 0, stage: 0 };
  }

  moment(): Moment {
    const { name, settings, history } = this;
    const { events, position: at, tour } = history;
    return { view: name, settings: this.unusual(settings), events, at, ...(tour === null ? {} : { tour }) };
  }

  /** The settings other than the defaults. */
  private unusual(settings: Settings): Settings {
    const defaults = this.checked({});
    return Object.fromEntries(Object.entries(settings).filter(([name, value]) => defaults[name] !== value));
  }

  private checked(given: Settings): Settings {
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(this.choices, name));
    if (unknown !== undefined) throw new RangeError(`this view has no setting '${unknown}'`);
    const pairs = Object.entries(this.choices).map(([name, allowed]) => {
      const value = given[name] ?? (allowed === null ? '' : allowed[0]);
      if (allowed?.includes(value) === false) {
        throw new RangeError(`${name} '${value}' cannot be; choose from ${allowed.join(', ')}`);
      }
      return [name, value] as const;
    });
    return Object.fromEntries(pairs);
  }
}
