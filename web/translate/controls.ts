/** The form for accesses, and the register bits as switches. */

import { html, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { formatHex, parseAddress } from '../../hw/base/address.js';
import { X86_MODES } from '../../hw/x86/format.js';
import { DEMO_ADDRESSES, DEMO_MODES, type DemoMode } from '../../src/explain/demo-states.js';
import { menu, valueOf } from '../form.js';
import type { Position } from '../story/history.js';
import type { Page, Settings } from '../story/view.js';
import { type RegisterFile, REGISTERS } from './registers.js';

/** Shapes to choose from: small ones, to be drawn whole, and real processors. */
export const TLBS = [
  '8x2+32x4+psc',
  '16x4+64x8+psc',
  'skylake',
  'golden-cove',
  'zen4',
  'cortex-a76',
  'none',
] as const satisfies readonly string[];

const WHO = [
  ['user', 'user mode'],
  ['kernel', 'the kernel'],
] as const;

/** The contents of the form: the next access. */
export interface Draft {
  address: string;
  access: string;
  who: string;
}

/**
 * An address as written by people, in the form for events: as the terminal reads it. Anything else stays, to be
 * refused.
 */
function normalized(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text.trim() : formatHex(address.hi, address.lo);
}

/** @param place where the story stands, to go on from there with another machine */
export function accessForm(draft: Draft, { mode, tlb }: Settings, page: Page, place: Position): TemplateResult {
  const access = (address: string): void => {
    page.act(`${draft.access}.${draft.who}.${address}`, true);
  };
  const modes = DEMO_MODES.map((name) => [name, X86_MODES[name].title] as const);
  return html`<form
    class="controls"
    @submit=${(event: Event) => {
      event.preventDefault();
      draft.address = normalized(draft.address);
      access(draft.address);
    }}
  >
    ${menu('Paging', 'mode', mode, modes, (value) => {
      page.change({ mode: value, tlb }, place);
    })}
    ${menu('TLB', 'tlb', tlb, TLBS, (value) => {
      page.change({ mode, tlb: value }, place);
    })}
    <label
      >Address
      <input
        data-field="address"
        spellcheck="false"
        autocomplete="off"
        size="14"
        .value=${live(draft.address)}
        @input=${(event: Event) => {
          draft.address = valueOf(event);
        }}
    /></label>
    ${menu('Access', 'access', draft.access, ['read', 'write', 'fetch'], (value) => {
      draft.access = value;
    })}
    ${menu('by', 'who', draft.who, WHO, (value) => {
      draft.who = value;
    })}
    <button class="main" data-do="access">Access</button>
    ${exampleMenu(mode, (address) => {
      draft.address = address;
      access(address);
    })}
  </form>`;
}

/** Addresses to try in a mode; the menu forgets the choice, to allow it again. */
function exampleMenu(mode: string, choose: (address: string) => void): TemplateResult {
  const examples = DEMO_ADDRESSES.filter(({ modes }) => modes?.includes(mode as DemoMode) ?? true);
  return html`<label
    >Try
    <select
      data-field="example"
      @change=${(event: Event) => {
        const address = valueOf(event);
        (event.target as HTMLSelectElement).selectedIndex = 0;
        choose(address);
      }}
    >
      <option>an address…</option>
      ${examples.map(({ address, about }) => html`<option value=${address}>${address}: ${about}</option>`)}
    </select></label
  >`;
}

export function registerSwitches(registers: RegisterFile, page: Page): TemplateResult {
  const groups = [...new Set(REGISTERS.map(({ register }) => register))];
  return html`<details class="registers">
    <summary>Register bits <span class="quiet">${groups.map((group) => group.toUpperCase()).join(', ')}</span></summary>
    <div role="group" aria-label="Register bits">
      ${groups.map(
        (group) =>
          html`<span class="group"
            ><span class="name">${group.toUpperCase()}</span> ${REGISTERS.filter(
              ({ register }) => register === group,
            ).map(({ bit, name, meaning }) => {
              const value = registers.bit(group, bit);
              return html`<button
                class="bit"
                role="switch"
                aria-checked=${String(value === 1)}
                title=${meaning}
                data-register="${group}.${bit}"
                @click=${() => {
                  page.act(`${group}.${bit}`, true);
                }}
              >
                ${name}<i>${value}</i>
              </button>`;
            })}</span
          >`,
      )}
    </div>
  </details>`;
}
