/** The segment view: one selector and offset through descriptor, checks and paging, with every bit as a switch. */

import { html, nothing, type TemplateResult } from 'lit';
import { formatHex } from '../../hw/base/address.js';
import { SEGMENT_NAMES } from '../../hw/x86/segmentation/register.js';
import { parseState } from '../../src/explain/machine-state.js';
import { DEMO_SELECTORS, segmentDemoInput } from '../../src/explain/segment/segment-demo.js';
import { exampleMenu, menu, stateFiles, textField } from '../form.js';
import { type Page, type Settings, StoryView } from '../story/view.js';
import { readStateText, takeState, writeStateText } from '../translate/machines/state-text.js';
import { segmentDrawing, segmentTold } from './drawing.js';
import { LogicalAddressMachine } from './machine.js';

const LEVELS = [
  ['3', 'the program (CPL 3)'],
  ['0', 'the kernel (CPL 0)'],
] as const;
const ACCESSES = ['read', 'write', ['fetch', 'fetch after a far JMP'], ['call', 'far CALL']] as const;

export class SegmentView extends StoryView<LogicalAddressMachine> {
  readonly name = 'segment';
  readonly title = 'Segment';
  /** The contents of the form: the next access. */
  readonly #draft = { address: '0x2b:0x10', access: 'read', register: 'ds', size: '4' };
  /** Descriptors with all bits shown. */
  readonly #open = new Set<number>();

  constructor() {
    super({ cpl: ['3', '0'], state: null });
  }

  get tourIs(): string {
    if (this.settings.state !== '') return '';
    return 'How a selector and an offset become an address: a descriptor, the checks in order, a limit, and a gate.';
  }

  protected boot(): LogicalAddressMachine {
    return new LogicalAddressMachine(parseState(this.#state(this.settings)));
  }

  #state({ cpl, state }: Settings): unknown {
    if (state === '') return segmentDemoInput(Number(cpl));
    const own = readStateText(state);
    if (hasSegments(own)) return own;
    throw new RangeError('segments is missing in the state: give "segments": {"gdt": {"base": "0x8000", "limit": 95}}');
  }

  /** An access, one past the limit, one without its right, its repair, a swapped-out segment, and a gate. */
  protected story(): readonly string[] {
    if (this.settings.state !== '') return [];
    return [
      'read.ds.0x2b.0x10.4',
      'write.ds.0x2b.0x1ffe.4',
      'write.ds.0x33.0x10.4',
      'flip.0.41',
      'read.ds.0x3b.0x1000.4',
      'read.ds.0x3b.0x2000.4',
      'read.ds.0x43.0x0.4',
      'flip.0.47',
      'read.ds.0x10.0x0.4',
      'read.ds.0x7.0x10.4',
      'call.cs.0x63.0x0.4',
    ];
  }

  protected override opening(): { events: number; stage: number } {
    return { events: 1, stage: Infinity };
  }

  take(file: File, page: Page): void {
    takeState(file, page);
  }

  status(): string {
    const { change, result } = this.machine;
    if (result === null) return 'Nothing has been accessed yet.';
    const told = segmentTold(result, this.history);
    return `${change === '' ? '' : `${change}. `}${result.access} of ${result.selector}:${result.offset}: ${told}`;
  }

  content(page: Page): TemplateResult {
    const { result, change } = this.machine;
    return html`${this.#form(page)}
      <p class="now">
        <strong>${change === '' ? nothing : `${change}.`}</strong>
        ${
          result === null
            ? 'Give a selector and an offset.'
            : html`<b>${DEEDS[result.access]}</b> of ${result.size === 1 ? '1 byte' : `${result.size} bytes`} at
                <code>${result.selector}:${result.offset}</code>
                through ${result.register}, ${result.mode} mode, CPL ${result.cpl}:
                <code class="quiet">${commandOf(result)}</code>`
        }
      </p>
      ${result === null ? nothing : segmentDrawing(result, this.history, this.#open, this.#onward(), page)}`;
  }

  #form(page: Page): TemplateResult {
    const draft = this.#draft;
    const access = (): void => {
      const [selector, offset = ''] = draft.address.split(':').map((part) => part.trim());
      page.act(`${draft.access}.${draft.register}.${selector}.${offset}.${draft.size}`, true);
    };
    return html`<form
      class="controls"
      @submit=${(event: Event) => {
        event.preventDefault();
        access();
      }}
    >
      ${
        this.settings.state === ''
          ? menu('Who runs', 'cpl', this.settings.cpl, LEVELS, (cpl) => {
              page.change({ cpl });
            })
          : html`<button
              type="button"
              data-do="demo"
              @click=${() => {
                page.change({});
              }}
            >
              Leave this state
            </button>`
      }
      ${textField('Selector:offset', 'logical', 14, draft.address, (text) => {
        draft.address = text;
      })}
      ${menu('Access', 'access', draft.access, ACCESSES, (value) => {
        draft.access = value;
      })}
      ${menu('through', 'register', draft.register, REGISTERS, (value) => {
        draft.register = value;
      })}
      ${menu('Bytes', 'size', draft.size, ['1', '2', '4', '8'], (value) => {
        draft.size = value;
      })}
      <button class="main" data-do="access">Access</button>
      ${this.settings.state === '' ? this.#examples(access) : nothing}
      ${stateFiles(
        () => this.#state(this.settings),
        (file) => {
          this.take(file, page);
        },
      )}
    </form>`;
  }

  #examples(access: () => void): TemplateResult {
    const examples = DEMO_SELECTORS.map(({ selector, about }) => [formatHex(0, selector), about] as const);
    return exampleMenu('a segment…', examples, (selector) => {
      this.#draft.address = `${selector}:0x10`;
      access();
    });
  }

  /** The link to the walk of the linear address, on the same machine. */
  #onward(): string {
    const { result } = this.machine;
    if (result?.walk == null) return '';
    const { access, user, address } = result.walk;
    return `#translate?${new URLSearchParams({
      state: writeStateText(this.#state(this.settings)),
      do: `${access}.${user ? 'user' : 'kernel'}.${address}`,
      at: '1.9',
    }).toString()}`;
  }
}

const DEEDS = { read: 'Read', write: 'Write', fetch: 'Far JMP and fetch', call: 'Far CALL and fetch' };
const REGISTERS = SEGMENT_NAMES.map((name) => [name.toLowerCase(), name] as const);

function hasSegments(state: unknown): boolean {
  return typeof state === 'object' && state !== null && 'segments' in state;
}

/** What the terminal is asked for the same. */
function commandOf({
  selector,
  offset,
  access,
  register,
  size,
  cpl,
}: NonNullable<LogicalAddressMachine['result']>): string {
  const options = [
    access === 'read' ? '' : ` --access ${access}`,
    register === 'DS' || register === 'CS' ? '' : ` --register ${register.toLowerCase()}`,
    size === 4 ? '' : ` --size ${size}`,
    cpl === 3 ? '' : ` --cpl ${cpl}`,
  ];
  return `pagewalk segment ${selector}:${offset}${options.join('')}`;
}
