/** The steps of an access, one event each, in words and as hexadecimal text. */

import { formatHex, pageSizeName } from '../../../hw/base/address.js';
import type { Word64 } from '../../../hw/base/address.js';
import { PAGE_FAULT } from '../../../hw/base/fault.js';
import type { DropEvent, FillEvent } from '../../../hw/tlb/events.js';
import type { FaultEvent, HitEvent, TranslationEvent } from '../../../hw/translate/walk/events.js';
import { faultName } from '../../../hw/x86/exception.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { WIDTH, wrap } from '../../report/output/wrap.js';
import { commonStep, heldSize, heldWords, physicalAddress } from '../common-steps.js';
import { allowedBy, allowedWords } from './rights.js';
import { indexAt, levelOf, tableName } from './walk-levels.js';
import type { WalkStep } from './walk-result.js';

type Found = Required<Pick<WalkStep, 'target' | 'page' | 'allows' | 'text'>>;

/** A step of the access to `address`; `mmu` is the machine of the step. */
export function stepOf(mmu: Mmu, address: Word64, event: TranslationEvent): WalkStep {
  const { kind } = event;
  const { hi, lo } = address;
  switch (kind) {
    case 'lookup': {
      const linear = formatHex(hi, lo);
      return { kind, linear, text: linear };
    }
    case 'hit': {
      const { where } = event;
      const page = found(event);
      return { kind, where, ...page, text: `${where}: ${page.text}` };
    }
    case 'walk cache hit': {
      const { where, level } = event;
      const target = physicalAddress(event.table);
      return { kind, where, target, text: `${where}: the walk starts at the ${tableName(mmu, level)} at ${target}` };
    }
    case 'read': {
      const { table, index, entryAddress, raw, allows } = levelOf(mmu, event, hi, lo, false);
      const where = `${table}[${index}]`;
      const text = `${where} ${entryAddress === null ? 'in a register' : `at ${entryAddress}`}: ${raw}`;
      return {
        kind,
        where,
        ...(entryAddress === null ? {} : { entryAddress }),
        raw,
        ...(allows === null ? {} : { allows }),
        text,
      };
    }
    case 'set': {
      const where = `${tableName(mmu, event.level)}[${indexAt(mmu, event.level, hi, lo)}]`;
      const entryAddress = `0x${event.address.toString(16)}`;
      return { kind, where, entryAddress, text: `${event.bit} bit of ${where} at ${entryAddress}` };
    }
    case 'walked':
      return { kind, ...found(event) };
    case 'fill':
    case 'drop':
      return heldStep(event);
    case 'fault':
      return faultStep(event);
    case 'second-stage hit':
    case 'entry cache':
    case 'instruction':
    case 'invalidate':
      return commonStep(event);
  }
}

/** The end of a walk or the answer of a TLB: the 4 KiB frame of the address. */
function found({ frame, shift, rights = 0 }: Pick<HitEvent, 'frame' | 'shift' | 'rights'>): Found {
  const target = physicalAddress(frame);
  const page = pageSizeName(shift);
  const allows = allowedBy(rights);
  return { target, page, allows, text: `leads to ${target}, ${page} page, ${allowedWords(allows)}` };
}

/** An entry put in or left. */
function heldStep(event: FillEvent | DropEvent): WalkStep {
  const { kind, where, holds, hi, lo, frame, rights = 0 } = event;
  const page = heldSize(event);
  const step = {
    kind,
    where,
    linear: formatHex(hi, lo),
    target: physicalAddress(frame),
    ...(page === undefined ? {} : { page }),
  };
  const text = heldWords(event);
  // Rights of a host are other bits than those of a guest.
  if (holds === 'guest-physical page' || holds === 'guest-physical table') return { ...step, text };
  const allows = allowedBy(rights);
  return { ...step, allows, text: `${text}, ${allowedWords(allows)}` };
}

function faultStep({ kind, status, errorCode }: FaultEvent): WalkStep {
  const name = faultName(status);
  if (status !== PAGE_FAULT) return { kind, text: name };
  return { kind, errorCode, text: `${name}, error code 0x${errorCode.toString(16)}` };
}

/** The steps as a numbered list, at most `width` columns wide. */
export function stepLines(steps: readonly WalkStep[], width = WIDTH): string[] {
  if (steps.length === 0) return ['none: without paging nothing is looked up'];
  const kinds = Math.max(...steps.map(({ kind }) => kind.length));
  return steps.map(({ kind, text }, i) => {
    const start = `${String(i + 1).padStart(2)}  ${kind.padEnd(kinds)}  `;
    return wrap(`${start}${text}`, ' '.repeat(start.length), width);
  });
}
