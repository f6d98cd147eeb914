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
