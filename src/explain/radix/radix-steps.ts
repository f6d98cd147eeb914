/** The steps of an access on a machine of any format, one event each, in words and as hexadecimal text. */

import { formatHex, pageSizeName } from '../../../hw/base/address.js';
import type { PagingLevel } from '../../../hw/base/format.js';
import type { TranslationEvent } from '../../../hw/translate/walk/events.js';
import { commonStep, heldWords, physicalAddress } from '../common-steps.js';
import type { WalkStep } from '../walk/walk-result.js';

/** An access as its steps are told: the entries read, each with its place such as `level 0[1]`, and its fault if any. */
interface ToldAccess {
  readonly address: string;
  readonly levels: readonly { readonly where: string; readonly entryAddress: string | null; readonly raw: string }[];
  readonly fault: string;
}

/** A step of an access. */
export function radixStep(
  { levels, rights }: { readonly levels: readonly PagingLevel[]; readonly rights: (code: number) => string },
  { address, levels: walked, fault }: ToldAccess,
  event: TranslationEvent,
): WalkStep {
  const { kind } = event;
  const table = (level: number): string => levels.find((candidate) => candidate.level === level)?.table ?? `${level}`;
  switch (kind) {
    case 'lookup':
      return { kind, linear: address, text: address };
    case 'hit':
    case 'walked': {
      const target = physicalAddress(event.frame);
      const page = pageSizeName(event.shift);
      const where = kind === 'hit' ? { where: event.where } : {};
      const found = `leads to ${target}, ${page} page, ${rights(event.rights ?? 0)}`;
      return { kind, ...where, target, page, text: kind === 'hit' ? `${event.where}: ${found}` : found };
    }
    case 'walk cache hit': {
      const target = physicalAddress(event.table);
      const text = `${event.where}: the walk starts at the table of ${table(event.level)} at ${target}`;
      return { kind, where: event.where, target, text };
    }
    case 'read': {
      const entryAddress = `0x${(event.address ?? 0).toString(16)}`;
      const read = walked.find((candidate) => candidate.entryAddress === entryAddress);
      const where = read?.where ?? table(event.level);
      const raw = read?.raw ?? formatHex(event.high, event.low);
      return { kind, where, entryAddress, raw, text: `${where} at ${entryAddress}: ${raw}` };
    }
    case 'set': {
      const entryAddress = `0x${event.address.toString(16)}`;
      return { kind, entryAddress, text: `${event.bit}, in the entry of ${table(event.level)} at ${entryAddress}` };
    }
    case 'fill':
    case 'drop': {
      const { where, holds, hi, lo, frame } = event;
      // Rights of a host are other bits than those of a guest.
      const allows = holds === 'page' ? `, ${rights(event.rights ?? 0)}` : '';
      const [linear, target] = [formatHex(hi, lo), physicalAddress(frame)];
      return { kind, where, linear, target, text: `${heldWords(event)}${allows}` };
    }
    case 'fault':
      return { kind, text: fault };
    case 'second-stage hit':
    case 'entry cache':
    case 'instruction':
    case 'invalidate':
      return commonStep(event);
  }
}
