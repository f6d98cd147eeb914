/** Why a PE refuses an access: the rule in a sentence, and its section. */

import { BUS_ERROR } from '../../../hw/base/fault.js';
import {
  FSC_ACCESS_FLAG,
  FSC_ADDRESS_SIZE,
  FSC_PERMISSION,
  FSC_TRANSLATION,
  ON_WALK,
} from '../../../hw/aarch64/exception.js';
import {
  DESC_DBM,
  DESC_EL0,
  DESC_NO_EL0_TABLE,
  DESC_PXN,
  DESC_PXN_TABLE,
  DESC_READ_ONLY,
  DESC_READ_ONLY_TABLE,
  DESC_S2_READ,
  DESC_TABLE,
  DESC_UXN,
  DESC_UXN_TABLE,
  DESC_VALID,
} from '../../../hw/aarch64/format.js';
import type { Pe } from '../../../hw/aarch64/pe.js';
import type { TranslationTables } from '../../../hw/aarch64/rules.js';
import type { ReadEvent } from '../../../hw/translate/walk/events.js';
import type { WalkRequest } from '../walk/walk.js';

const SOURCE = (title: string): string => `Arm ARM (DDI 0487), chapter D8, "${title}"`;
const PROCESS = SOURCE('Translation process');
const DESCRIPTORS = SOURCE('VMSAv8-64 descriptor formats');
const PERMISSIONS = SOURCE('Direct permissions');
const HIERARCHICAL = SOURCE('Memory access control');

/** The rule, and where the manual has it. */
interface Reason {
  readonly why: string;
  readonly section: string;
}

/** A descriptor, by the manual's number of its level. */
function entryOf({ level, stage }: Pick<ReadEvent, 'level' | 'stage'>): string {
  return `the ${stage === 2 ? "host's " : ''}descriptor of level ${3 - level}`;
}

/** Bits 5:2 of a fault status code: its kind, without the level. */
const FSC_KIND = 0x3c;

/** Why the last access failed; `reads` are the descriptors read for it, none when a TLB answered. */
export function abortReason(
  pe: Pe,
  tables: TranslationTables,
  request: WalkRequest,
  reads: readonly ReadEvent[],
): Reason {
  const { status, errorCode, stage } = pe.fault;
  if (status === BUS_ERROR) return { why: 'no RAM answers where the walk leads', section: PROCESS };
  const own = reads.filter((read) => read.stage === 1);
  // Those of the host before it led to descriptors that were found.
  const last = stage === 1 ? own.at(-1) : reads.at(-1)?.stage === 2 ? reads.at(-1) : undefined;
  const [sizes, sets] = stage === 1 ? ['TCR_EL1.IPS', 'TCR_EL1.HA'] : ['VTCR_EL2.PS', 'VTCR_EL2.HA'];
  switch (errorCode & FSC_KIND) {
    case FSC_TRANSLATION:
      if (last !== undefined) return untranslated(last);
      return stage === 1 ? outside(tables, request) : outsideHost(pe);
    case FSC_ADDRESS_SIZE: {
      const where = last === undefined ? 'the root table' : `the address in ${entryOf(last)}`;
      return { why: `${where} lies past the size of physical addresses (${sizes})`, section: PROCESS };
    }
    case FSC_ACCESS_FLAG: {
      const where = last === undefined ? 'the descriptor' : entryOf(last);
      const why = `${where} has AF = 0, and software is to set it (${sets} = 0)`;
      return { why, section: SOURCE('Hardware updates to the translation tables') };
    }
    case FSC_PERMISSION:
      if (last === undefined) return { why: 'the rights in the TLB refuse it', section: PERMISSIONS };
      return stage === 1 ? refusedRight(pe, tables, request, own, last) : refusedByHost(pe, request, last);
  }
  return { why: 'the walk cannot be made', section: PROCESS };
}

/** No descriptor of stage 2 was read. */
function outsideHost(pe: Pe): Reason {
  const { guestHi, guestLo } = pe.fault;
  const { second } = pe.rules;
  const why = second.covers(guestHi, guestLo)
    ? 'VTCR_EL2.T0SZ and SL0 do not fit together: stage 2 has no walks'
    : `intermediate physical addresses have ${second.inputBits} bits (VTCR_EL2.T0SZ)`;
  return { why, section: PROCESS };
}

/** The right that a page of stage 2 does not give, to the access or to a walk of stage 1. */
function refusedByHost(pe: Pe, { access }: WalkRequest, { low }: ReadEvent): Reason {
  const because = (why: string): Reason => ({ why, section: SOURCE('Stage 2 permissions') });
  const onWalk = (pe.fault.errorCode & ON_WALK) !== 0;
  if (onWalk && pe.rules.second.protectedType !== 0 && (low & pe.rules.second.protectedType) === 0) {
    return because('HCR_EL2.PTW = 1 keeps walks of stage 1 from Device memory');
  }
  if ((low & DESC_S2_READ) === 0 && (onWalk || access === 'read'))
    return because("the host's page has S2AP[0] = 0: no reads");
  if (onWalk) return because("the host's page has S2AP[1] = 0: a walk of stage 1 may not mark the descriptor there");
  if (access === 'fetch') return because("the host's page has XN set: no execution at this level");
  return because("the host's page has S2AP[1] = 0: no writes");
}

/** No descriptor was read. */
function outside(tables: TranslationTables, { hi, lo }: WalkRequest): Reason {
  const [half, value] = tables.sign === 0 ? ['0', 'all be 0'] : ['1', 'all be 1'];
  const { inputBits } = tables;
  const why = tables.covers(hi, lo)
    ? `no walks with TTBR${half}_EL1: TCR_EL1.EPD${half}, E0PD${half} or T${half}SZ forbids them`
    : `bits 63 to ${inputBits} of an address of TTBR${half}_EL1 must ${value}`;
  return { why, section: PROCESS };
}

function untranslated(last: ReadEvent): Reason {
  const entry = entryOf(last);
  if ((last.low & DESC_VALID) === 0) return { why: `${entry} is not valid: bit 0 is 0`, section: DESCRIPTORS };
  const isTable = (last.low & DESC_TABLE) !== 0;
  const why = `${entry} has bit 1 = ${isTable ? 1 : 0}, which is reserved here: ${
    last.level === 0 ? 'the last level has pages alone' : 'the granule has no blocks at this level'
  }`;
  return { why, section: DESCRIPTORS };
}

/** The first descriptor that takes the right away for all below, in words. */
function takenAbove(reads: readonly ReadEvent[], bit: number, name: string): Reason | undefined {
  const table = reads.slice(0, -1).find(({ high }) => (high & bit) !== 0);
  return table && { why: `${entryOf(table)} has ${name} = 1, for all below it`, section: HIERARCHICAL };
}

/** The right that a page does not give. Source: AArch64.S1DirectBasePermissions(). */
function refusedRight(
  pe: Pe,
  tables: TranslationTables,
  { access, user }: WalkRequest,
  reads: readonly ReadEvent[],
  { high, low }: ReadEvent,
): Reason {
  const above = tables.hierarchical === 0 ? [] : reads;
  const el0 = (low & DESC_EL0) !== 0;
  const because = (why: string, section = PERMISSIONS): Reason => ({ why, section });
  if (user && !el0) return because('EL0 may use pages with AP[1] = 1 alone');
  if (user) {
    const taken = takenAbove(above, DESC_NO_EL0_TABLE, 'APTable[0]');
    if (taken !== undefined) return taken;
  }
  if (access === 'fetch') return refusedFetch(pe, above, user, high, low);
  if (!user && el0 && pe.pan) {
    return because('PSTATE.PAN = 1 keeps EL1 from pages of EL0', SOURCE('About PSTATE.PAN and access permissions'));
  }
  const clean = (low & DESC_READ_ONLY) !== 0 && !(tables.setsDirty && (high & DESC_DBM) !== 0);
  if (clean) return because('the page has AP[2] = 1: no writes');
  return takenAbove(above, DESC_READ_ONLY_TABLE, 'APTable[1]') ?? because('the page does not give this right');
}

function refusedFetch(pe: Pe, above: readonly ReadEvent[], user: boolean, high: number, low: number): Reason {
  const because = (why: string): Reason => ({ why, section: PERMISSIONS });
  const [bit, tableBit, name] = user ? [DESC_UXN, DESC_UXN_TABLE, 'UXN'] : [DESC_PXN, DESC_PXN_TABLE, 'PXN'];
  const level = user ? 'EL0' : 'EL1';
  if ((high & bit) !== 0) return because(`the page has ${name} = 1: no execution at ${level}`);
  const taken = takenAbove(above, tableBit, `${name}Table`);
  if (taken !== undefined) return taken;
  if (pe.rules.writableNeverExecuted) return because('SCTLR_EL1.WXN = 1: no page that may be written is executed');
  return because(
    (low & DESC_EL0) !== 0 ? 'EL1 executes no page that EL0 may write' : 'the page does not give this right',
  );
}
