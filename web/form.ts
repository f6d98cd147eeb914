/** Parts of the forms of every view. */

import { html, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';

/** The value of an input or a menu after the event. */
export function valueOf({ target }: Event): string {
  return (target as HTMLInputElement | HTMLSelectElement).value;
}

/** An entry of a menu: its value and, if different, its text. */
export type Choice = string | readonly [value: string, text: string];

/** A labelled menu; `field` is its name for scripts. */
export function menu(
  label: string,
  field: string,
  chosen: string,
  choices: readonly Choice[],
  change: (value: string) => void,
): TemplateResult {
  const pairs = choices.map((choice) => (typeof choice === 'string' ? ([choice, choice] as const) : choice));
  return html`<label
    >${label}
    <select
      data-field=${field}
      @change=${(event: Event) => {
        change(valueOf(event));
      }}
    >
      ${pairs.map(([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`)}
    </select></label
  >`;
}

/** A labelled line of text, `size` letters wide; `field` is its name for scripts. */
export function textField(
  label: string,
  field: string,
  size: number,
  text: string,
  change: (text: string) => void,
): TemplateResult {
  return html`<label
    >${label}
    <input
      data-field=${field}
      spellcheck="false"
      autocomplete="off"
      size=${size}
      .value=${live(text)}
      @input=${(event: Event) => {
        change(valueOf(event));
      }}
  /></label>`;
}

/**
 * Examples to try; the menu forgets the choice, to allow it again.
 * @param head what it shows
 * @param examples each with a word about it
 */
export function exampleMenu(
  head: string,
  examples: readonly (readonly [value: string, about: string])[],
  choose: (value: string) => void,
): TemplateResult {
  return html`<label
    >Try
    <select
      data-field="example"
      @change=${(event: Event) => {
        const value = valueOf(event);
        (event.target as HTMLSelectElement).selectedIndex = 0;
        choose(value);
      }}
    >
      <option>${head}</option>
      ${examples.map(([value, about]) => html`<option value=${value}>${value}: ${about}</option>`)}
    </select></label
  >`;
}

/**
 * A state file to open, and the machine's own to save: the file of `pagewalk walk --state`.
 * @param state the machine's own, when it is asked for
 */
export function stateFiles(state: () => unknown, open: (file: File) => void): TemplateResult {
  return html`<span class="row">
    <label class="button"
      >Open<input
        class="unseen"
        type="file"
        accept=".json,application/json"
        data-field="file"
        aria-label="Open a machine's state"
        @change=${(event: Event) => {
          const field = event.target as HTMLInputElement;
          const file = field.files?.[0];
          if (file !== undefined) open(file);
          field.value = '';
        }}
    /></label>
    <a
      class="button"
      data-do="save"
      download="machine.json"
      href="data:application/json,"
      title="The state file that pagewalk walk --state reads"
      @click=${(event: Event) => {
        const text = `${JSON.stringify(state(), null, 2)}\n`;
        (event.currentTarget as HTMLAnchorElement).href =
          `data:application/json;charset=utf-8,${encodeURIComponent(text)}`;
      }}
      >Save</a
    >
  </span>`;
}
