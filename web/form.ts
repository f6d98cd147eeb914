/** Parts of the forms of every view. */

import { html, type TemplateResult } from 'lit';

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
