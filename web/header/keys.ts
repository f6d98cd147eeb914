/** The keys of the page: each command has its names on the keyboard and its line in the list. */

import { html, type TemplateResult } from 'lit';
import type { Commands } from './commands.js';

/** The label in the list, the meaning, the names as `KeyboardEvent.key` gives them, and the command. */
type Key = readonly [label: string, meaning: string, names: readonly string[], command?: keyof Commands];

const KEYS: readonly Key[] = [
  ['→ or n', 'one step on', ['ArrowRight', 'n'], 'step'],
  ['← or b', 'one step back', ['ArrowLeft', 'b'], 'back'],
  ['Space', 'run, or stop running', [' '], 'run'],
  ['s', 'the speed of a run', ['s'], 'turnSpeed'],
  ['Home or r', 'back to the start', ['Home', 'r'], 'reset'],
  ['1 to 7', 'the views', []],
  ['t', 'light or dark', ['t'], 'turnTheme'],
  ['p', 'large, for a lecture, or as before', ['p'], 'turnSize'],
  ['e', 'export the drawing as SVG', ['e'], 'exportDrawing'],
  ['Tab, Enter', 'move to a bit or button, press it', []],
  ['?', 'these keys', ['?'], 'toggleHelp'],
];

/** The command of a key; undefined for a key without one. */
export function commandOf(name: string): keyof Commands | undefined {
  return KEYS.find(([, , names]) => names.includes(name))?.[3];
}

/** The list of keys, as `?` shows it. */
export function keyList(): TemplateResult {
  return html`<section class="keys" aria-label="Keys">
    <dl>
      ${KEYS.map(
        ([label, meaning]) =>
          html`<div>
            <dt>${label}</dt>
            <dd>${meaning}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}
