/** The translate view: one access from address to frame or fault, on any machine, and every bit on the way as a switch. */

import { html, nothing, type TemplateResult } from 'lit';
import { type DemoMode, LIBRARY } from '../../src/explain/demo-states.js';
import { parseState } from '../../src/explain/machine-state.js';
import type { Position } from '../story/history.js';
import type { Moment } from '../story/link.js';
import { type Page, type Settings, StoryView } from '../story/view.js';
import { drawArrows } from './drawing/arrows.js';
import { accessForm, type Draft } from './controls.js';
import { addressesOf, CHOICES, stateOf, tourOf } from './machines/demos.js';
import { TranslateMachine } from './machines/x86-machine.js';
import { otherDrawing, otherTold, registerValues } from './drawing/other-drawing.js';
import { registerSwitches } from './drawing/register-switches.js';
import { takeState } from './machines/state-text.js';
import { WalkMachine } from './machines/walk-machine.js';
import { machineKindOf, openWalkable } from './machines/walkable.js';
import { x86Drawing, x86Told } from './drawing/x86-drawing.js';

export class TranslateView extends StoryView<TranslateMachine | WalkMachine> {
  readonly name = 'translate';
  readonly title = 'Translate';
  /** The contents of the form: the next access. */
  #draft: Draft = { address: LIBRARY['4l'], access: 'read', who: 'user' };
  /** The last change of an entry forgets its invalidation. */
  #forgets = false;
  readonly #open = new Set<number>();

  constructor() {
    super(CHOICES);
  }

  get tourIs(): string {
    return tourOf(this.settings);
  }

  protected boot(): TranslateMachine | WalkMachine {
    const state = stateOf(this.settings);
    return machineKindOf(state) === 'x86'
      ? new TranslateMachine(parseState(state))
      : new WalkMachine(openWalkable(state));
  }

  /** On x86 a first read, the same again, a first write, a fault and its repair; elsewhere each address once. */
  protected story(): readonly string[] {
    const { machine, mode, state } = this.settings;
    if (machine !== 'x86' || state !== '') {
      return addressesOf(this.settings).map(([address]) => `read.user.${address}`);
    }
    const data = LIBRARY[mode as DemoMode];
    return [
      `read.user.${data}`,
      `read.user.${data}`,
      `write.user.${data}`,
      'write.user.0x602000',
      'flip.0.1',
      'lazy.0.1',
      'invlpg',
      ...(mode === '32' ? [] : ['fetch.user.0x603000']),
      'read.user.0x800000',
      'read.user.0xc00000',
      'read.user.0x700000',
      'read.user.0xc0100000',
    ];
  }

  protected override opening(): { events: number; stage: number } {
    return { events: 1, stage: Infinity };
  }

  /** The place in the tour, kept when the machine is changed. */
  get #place(): Position {
    const { history } = this;
    return history.tour === null ? history.position : history.tour.at;
  }

  override open(moment: Moment): void {
    const before = this.settings;
    super.open(moment);
    // The form begins with an address that the machine has.
    const machine = ({ machine, mode, guest, program, granule, preset, state }: Settings): string =>
      [machine, mode, guest, program, granule, preset, state].join();
    if (machine(before) !== machine(this.settings))
      this.#draft.address = addressesOf(this.settings).at(0)?.[0] ?? '0x0';
  }

  override drawn(root: HTMLElement): void {
    const drawing = root.querySelector<HTMLElement>('.drawing');
    if (drawing !== null) drawArrows(drawing);
  }

  /** A file from outside, dropped or chosen: a state as `pagewalk walk --state` reads it. */
  take(file: File, page: Page): void {
    takeState(file, page);
  }

  status(): string {
    const { machine } = this;
    if (machine.record === null) return 'Nothing has been accessed yet.';
    const { user, access, address } = machine.record.result;
    const told =
      machine instanceof TranslateMachine ? x86Told(machine, this.history) : otherTold(machine, this.history);
    return `${machine.change === '' ? '' : `${machine.change}. `}${user ? 'user' : 'kernel'} ${access} of ${address}: ${told}`;
  }

  content(page: Page): TemplateResult {
    const { machine } = this;
    const { record, change } = machine;
    const registers =
      machine instanceof TranslateMachine
        ? registerSwitches(machine.registers, page)
        : machine.record === null
          ? nothing
          : registerValues(machine.record.result);
    return html`
      ${accessForm(this.#draft, this.settings, page, this.#place, (file) => {
        this.take(file, page);
      })}
      ${registers}
      <p class="now">
        <strong>${change === '' ? nothing : `${change}.`}</strong>
        ${record === null ? 'Give an address, or press Step.' : accessWords(record, machine instanceof WalkMachine ? machine.walkable.about : '')}
      </p>
      ${this.#drawing(page)}
    `;
  }

  #drawing(page: Page): TemplateResult | typeof nothing {
    const { machine, history } = this;
    const cards = { open: this.#open, forgets: this.#forgets };
    const aside = this.#forgetBox(page);
    if (machine instanceof TranslateMachine) {
      return machine.record === null
        ? nothing
        : x86Drawing(machine.record, machine.walked, history, cards, aside, page);
    }
    const { walkable, record } = machine;
    return record === null ? nothing : otherDrawing(walkable, record, history, cards, aside, page);
  }

  #forgetBox(page: Page): TemplateResult {
    const { machine } = this;
    const fences = machine instanceof TranslateMachine ? ['INVLPG'] : machine.walkable.fences;
    if (fences === null) return html``;
    return html`<label class="aside"
      ><input
        type="checkbox"
        .checked=${this.#forgets}
        @change=${() => {
          this.#forgets = !this.#forgets;
          page.redraw();
        }}
      />
      forget ${fences[0]} when a bit changes</label
    >`;
  }
}

/** The access in a sentence. @param about the machine in words */
function accessWords(
  { result, again }: NonNullable<(TranslateMachine | WalkMachine)['record']>,
  about: string,
): TemplateResult {
  const { user, access, address } = result;
  const mode = 'title' in result ? result.title : 'guest' in result ? `${result.guest} over ${result.host}` : '';
  const where = [mode, about].filter((words) => words !== '').join(': ');
  return html`A ${user ? 'user-mode' : 'kernel-mode'} <b>${access}</b> of <code>${address}</code>${
      again ? ', made again' : ''
    },
    in ${where}:`;
}
