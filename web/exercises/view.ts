/** The exercises view: a sheet by seed, answers to be typed and marked with reasons, and paper to print. */

import { html, nothing, type TemplateResult } from 'lit';
import {
  DIFFICULTIES,
  type Difficulty,
  type Exercise,
  partsOf,
  QUIZ_MACHINES,
  type QuizMachine,
  type Topic,
  TOPICS,
} from '../../src/quiz/exercise.js';
import { mark } from '../../src/quiz/marking.js';
import { makeExercises, MOST_EXERCISES, topicsAbout } from '../../src/quiz/quiz.js';
import { menu, valueOf } from '../form.js';
import type { Moment } from '../story/link.js';
import type { Page, Settings, View } from '../story/view.js';

const ALL = 'all topics';
const ANY = 'any machine';
const DEFAULTS = { topic: ALL, machine: ANY, difficulty: 'medium', count: '', seed: '1' };

/** Somebody's answer to one exercise. */
interface Attempt {
  /** Texts by part. */
  readonly given: string[];
  /** Marked or given up: reasons are shown. */
  shown: 'no' | 'marked' | 'answer';
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new RangeError(`${name} '${text}' cannot be; give a whole number from ${least} to ${most}`);
}

function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new RangeError(`${name} '${text}' cannot be; choose from ${choices.join(', ')}`);
  return found;
}

export class ExercisesView implements View {
  readonly name = 'exercises';
  readonly title = 'Exercises';
  readonly tourIs = '';
  readonly tour = [];
  readonly history = null;
  #settings: typeof DEFAULTS = DEFAULTS;
  #exercises: readonly Exercise[] = [];
  #attempts: readonly Attempt[] = [];
  /** What is on paper: all else is left out while the browser prints. */
  #paper: 'none' | 'sheet' | 'key' = 'none';

  open({ settings }: Moment): void {
    const unknown = Object.keys(settings).find((name) => !Object.hasOwn(DEFAULTS, name));
    if (unknown !== undefined) throw new RangeError(`this view has no setting '${unknown}'`);
    const wanted = { ...DEFAULTS, ...settings };
    const topic = oneOf<Topic | typeof ALL>('topic', wanted.topic, [ALL, ...TOPICS]);
    const difficulty = oneOf<Difficulty>('difficulty', wanted.difficulty, DIFFICULTIES);
    const count = wanted.count === '' ? undefined : wholeNumber('count', wanted.count, 1, MOST_EXERCISES);
    const seed = wholeNumber('seed', wanted.seed, 0, 2 ** 32 - 1);
    const machine = oneOf<QuizMachine | typeof ANY>('machine', wanted.machine, [ANY, ...QUIZ_MACHINES]);
    const options = { difficulty, count, machine: machine === ANY ? undefined : machine };
    const exercises = makeExercises(topic === ALL ? undefined : topic, seed, options);
    if (exercises.length === 0 && machine !== ANY) {
      const topics = topicsAbout(machine).join(' or ');
      throw new RangeError(`no exercise of topic '${topic}' is about ${machine}; choose ${topics}, or ${ANY}`);
    }
    this.#exercises = exercises;
    this.#attempts = this.#exercises.map((exercise) => ({ given: partsOf(exercise).map(() => ''), shown: 'no' }));
    this.#settings = wanted;
  }

  moment(): Moment {
    const usual: Settings = DEFAULTS;
    const settings = Object.fromEntries(
      Object.entries(this.#settings).filter(([name, value]) => usual[name] !== value),
    );
    return { view: this.name, settings, events: undefined, at: undefined };
  }

  /** Exercises marked by now, and those among them right in every part. */
  get #score(): { marked: number; right: number } {
    const marked = this.#exercises.filter((_, i) => this.#attempts[i].shown === 'marked');
    const right = marked.filter((exercise) => {
      return mark(exercise, this.#attempts[this.#exercises.indexOf(exercise)].given).every((one) => one);
    });
    return { marked: marked.length, right: right.length };
  }

  status(): string {
    const { marked, right } = this.#score;
    return `${this.#exercises.length} exercises; ${marked} marked, ${right} of them right.`;
  }

  content(page: Page): TemplateResult {
    if (this.#paper !== 'none') return this.#printed(this.#paper === 'key');
    return html`
      ${this.#form(page)}
      <p class="now">${this.status()}</p>
      <ol class="exercises">
        ${this.#exercises.map((exercise, i) => this.#exercise(exercise, this.#attempts[i], i, page))}
      </ol>
    `;
  }

  #form(page: Page): TemplateResult {
    const { topic, machine, difficulty, count, seed } = this.#settings;
    const change = (settings: Partial<typeof DEFAULTS>): void => {
      page.change({ ...this.#settings, ...settings });
    };
    const number = (label: string, field: 'count' | 'seed', value: string, hint: string): TemplateResult =>
      html`<label
        >${label}
        <input
          data-field=${field}
          size="8"
          inputmode="numeric"
          placeholder=${hint}
          .value=${value}
          @change=${(event: Event) => {
            change({ [field]: valueOf(event).trim() });
          }}
      /></label>`;
    return html`<div class="controls">
      ${menu('Topic', 'topic', topic, [ALL, ...TOPICS], (value) => {
        change({ topic: value });
      })}
      ${menu('Machine', 'machine', machine, [ANY, ...QUIZ_MACHINES], (value) => {
        change({ machine: value });
      })}
      ${menu('Difficulty', 'difficulty', difficulty, DIFFICULTIES, (value) => {
        change({ difficulty: value });
      })}
      ${number('Exercises', 'count', count, 'one each')} ${number('Seed', 'seed', seed, DEFAULTS.seed)}
      <button
        data-do="next"
        title="Another sheet: the next seed"
        @click=${() => {
          change({ seed: String((Number(seed) + 1) % 2 ** 32) });
        }}
      >
        Another sheet
      </button>
      ${this.#printButton('sheet', 'Print the sheet', page)} ${this.#printButton('key', 'Print the key', page)}
    </div>`;
  }

  #printButton(paper: 'sheet' | 'key', text: string, page: Page): TemplateResult {
    return html`<button
      data-do="print-${paper}"
      @click=${() => {
        this.#paper = paper;
        page.redraw();
        print();
        this.#paper = 'none';
        page.redraw();
      }}
    >
      ${text}
    </button>`;
  }

  #exercise(exercise: Exercise, attempt: Attempt, index: number, page: Page): TemplateResult {
    const { topic, kind, question, given } = exercise;
    return html`<li class="exercise" data-exercise=${index}>
      <div class="halves">
        <div>
          <h2>${topic}: ${kind}</h2>
          <p>${question}</p>
          ${block(given)}
        </div>
        <div>
          ${answerForm(exercise, attempt, index, page)} ${attempt.shown === 'no' ? nothing : solution(exercise)}
        </div>
      </div>
    </li>`;
  }

  #printed(key: boolean): TemplateResult {
    const { topic, difficulty, seed } = this.#settings;
    return html`<article class="paper">
      <h1>Exercises: ${topic}, ${difficulty}, seed ${seed}${key ? ': the key' : ''}</h1>
      ${key ? nothing : html`<p class="name">Name <span></span> Date <span></span></p>`}
      <ol class="exercises">
        ${this.#exercises.map((exercise) => {
          const { question, given, reasoning } = exercise;
          return html`<li>
            <p>${question}</p>
            ${block(given)}
            <dl>
              ${partsOf(exercise).map(
                ({ label, value }) =>
                  html`<dt>${label}</dt>
                    <dd>${key ? (value === '' ? '–' : value) : nothing}</dd>`,
              )}
            </dl>
            ${key ? block(reasoning) : nothing}
          </li>`;
        })}
      </ol>
    </article>`;
  }
}

/** Where the parts of an answer are typed and marked. */
function answerForm(exercise: Exercise, attempt: Attempt, index: number, page: Page): TemplateResult {
  const { shown } = attempt;
  const marks = mark(exercise, attempt.given);
  const show = (how: Attempt['shown']): void => {
    attempt.shown = how;
    page.redraw();
  };
  return html`<form
    class="parts"
    @submit=${(event: Event) => {
      event.preventDefault();
      show('marked');
    }}
  >
    ${partsOf(exercise).map(
      ({ label, value }, part) =>
        html`<label
          >${label}
          <input
            data-part=${part}
            aria-label="Exercise ${index + 1}: ${label}"
            spellcheck="false"
            autocomplete="off"
            .value=${attempt.given[part]}
            @input=${(event: Event) => {
              attempt.given[part] = valueOf(event);
              if (shown === 'marked') show('no');
            }}
          />${shown === 'marked' ? verdict(marks[part], value) : nothing}</label
        >`,
    )}
    <span class="row">
      <button class="main" data-do="mark" aria-label="Mark exercise ${index + 1}">Mark</button>
      <button
        type="button"
        data-do="answer"
        aria-label="${shown === 'answer' ? 'Hide the answer' : 'Show the answer'} to exercise ${index + 1}"
        @click=${() => {
          show(shown === 'answer' ? 'no' : 'answer');
        }}
      >
        ${shown === 'answer' ? 'Hide the answer' : 'Show the answer'}
      </button>
    </span>
  </form>`;
}

function verdict(right: boolean, value: string): TemplateResult {
  return right
    ? html`<span class="good">✓ right</span>`
    : html`<span class="bad">✗ ${value === '' ? 'nothing' : value}</span>`;
}

/** Lines as the terminal has them: columns move sideways where they are too wide, sentences go on in the next line. */
function block(lines: readonly string[]): TemplateResult | typeof nothing {
  if (lines.length === 0) return nothing;
  const inColumns = lines.some((line) => /\S {2}/.test(line));
  return html`<pre class=${inColumns ? 'columns' : ''} tabindex="0">${lines.join('\n')}</pre>`;
}

/** The answer, and how to come to it. */
function solution({ answer, reasoning }: Exercise): TemplateResult {
  return html`<div class="reasons-why">
    <p><b>Answer:</b> ${answer}</p>
    ${block(reasoning)}
  </div>`;
}
