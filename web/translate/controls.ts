/** The form for accesses: the machine, its menus, and an address. */

import { html, nothing, type TemplateResult } from 'lit';
import { formatHex, parseAddress } from '../../hw/base/address.js';
import { exampleMenu, menu, stateFiles, textField } from '../form.js';
import type { Position } from '../story/history.js';
import type { Page, Settings } from '../story/view.js';
import { addressesOf, MACHINE_CHOICES, menusOf, stateOf } from './machines/demos.js';

const WHO = [
  ['user', 'user mode'],
  ['kernel', 'the kernel'],
] as const;

/** The choice of the menu of machines for one's own. */
const OWN = 'own';

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

/**
 * @param place where the story stands, to go on from there with another machine
 * @param open takes a state file
 */
export function accessForm(
  draft: Draft,
  settings: Settings,
  page: Page,
  place: Position,
  open: (file: File) => void,
): TemplateResult {
  const access = (address: string): void => {
    page.act(`${draft.access}.${draft.who}.${address}`, true);
  };
  const examples = addressesOf(settings);
  return html`<form
    class="controls"
    @submit=${(event: Event) => {
      event.preventDefault();
      draft.address = normalized(draft.address);
      access(draft.address);
    }}
  >
    ${machineMenus(settings, page, place)}
    ${textField('Address', 'address', 14, draft.address, (text) => {
      draft.address = text;
    })}
    ${menu('Access', 'access', draft.access, ['read', 'write', 'fetch'], (value) => {
      draft.access = value;
    })}
    ${menu('by', 'who', draft.who, WHO, (value) => {
      draft.who = value;
    })}
    <button class="main" data-do="access">Access</button>
    ${
      examples.length === 0
        ? nothing
        : exampleMenu('an address…', examples, (address) => {
            draft.address = address;
            access(address);
          })
    }
    ${stateFiles(() => stateOf(settings), open)}
  </form>`;
}

/** The machine, and what there is to choose about it. */
function machineMenus(settings: Settings, page: Page, place: Position): TemplateResult {
  const { machine, state } = settings;
  const isOwn = state !== '';
  const machines = isOwn ? [...MACHINE_CHOICES, [OWN, 'your own'] as const] : MACHINE_CHOICES;
  return html`${menu('Machine', 'machine', isOwn ? OWN : machine, machines, (value) => {
    if (value === OWN) return;
    page.change({ ...settings, machine: value, state: '' });
  })}
  ${menusOf(settings).map(([field, label, choices]) =>
    menu(label, field, settings[field], choices, (value) => {
      const isX86 = field === 'mode' || field === 'tlb';
      page.change({ ...settings, [field]: value }, isX86 ? place : undefined);
    }),
  )}`;
}
