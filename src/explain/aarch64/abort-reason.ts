/** Why a PE refuses an access: the rule in a sentence, and its section. */

import { BUS_ERROR } from '../../../hw/base/fault.js';
import {
  FSC_ACCESS_FLAG,
  FSC_ADDRESS_SIZE,
  FSC_TRANSLATION,
  abortKindOf,
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
import { broken } from '../walk/check.js';
import type { Check, Reason } from '../walk/check.js';
import type { WayEntry } from '../radix/radix-walk.js';
import type { WalkRequest } from '../walk/walk.js';
import { AARCH64_CHECKS, AARCH64_HOST_CHECKS } from './checks.js';

/** A descriptor, by the manual's number of its level. */
function entryOf({ level, stage }: Pick<WayEntry, 'level' | 'stage'>): string {
  return `the ${stage === 2 ? "host's " : ''}descriptor of level ${3 - level}`;
}

/** Why the last access failed; `entries` are the descriptors on its way, as far as it came. */
export function abortReason(
  pe: Pe,
  tables: TranslationTables,
  request: WalkRequest,
  entries: readonly WayEntry[],
): Reason {
  const { status, errorCode, stage } = pe.fault;
  if (status === BUS_ERROR) return broken(AARCH64_CHECKS.ram, 'no RAM answers where the walk leads');
  const own = entries.filter((entry) => entry.stage === 1);
  // Those of the host before it led to descriptors that were found.
  const last = stage === 1 ? own.at(-1) : entries.at(-1)?.stage === 2 ? entries.at(-1) : undefined;
  const checks = stage === 1 ? AARCH64_CHECKS : AARCH64_HOST_CHECKS;
  const [sizes, sets] = stage === 1 ? ['TCR_EL1.IPS', 'TCR_EL1.HA'] : ['VTCR_EL2.PS', 'VTCR_EL2.HA'];
  switch (abortKindOf(errorCode).kind) {
    case FSC_TRANSLATION:
      if (last !== undefined) return untranslated(checks, last);
      return stage === 1 ? outside(tables, request) : outsideHost(pe);
    case FSC_ADDRESS_SIZE: {
      const where = last === undefined ? 'the root table' : `the address in ${entryOf(last)}`;
      const why = `${where} lies past the size of physical addresses (${sizes})`;
      return broken(last === undefined ? checks.root : checks.outputSize, why);
    }
    case FSC_ACCESS_FLAG: {
      const where = last === undefined ? 'the descriptor' : entryOf(last);
      return broken(checks.accessFlag, `${where} has AF = 0, and software is to set it (${sets} = 0)`);
    }
  }
  if (stage === 1) return last === undefined ? KEPT : refusedRight(pe, tables, request, own, last);
  return last === undefined ? KEPT_OF_HOST : refusedByHost(pe, request, last);
}

const KEPT = broken(AARCH64_CHECKS.kept, 'the rights kept of an earlier walk refuse it, older than the descriptors');
const KEPT_OF_HOST = broken(AARCH64_CHECKS.kept, 'the rights kept of stage 2 refuse it');

/** No descriptor of stage 2 was read. */
function outsideHost(pe: Pe): Reason {
  const { guestHi, guestLo } = pe.fault;
  const { second } = pe.rules;
  if (second.covers(guestHi, guestLo)) {
    return broken(AARCH64_HOST_CHECKS.start, 'VTCR_EL2.T0SZ and SL0 do not fit together: stage 2 has no walks');
  }
  const why = `intermediate physical addresses have ${second.inputBits} bits (VTCR_EL2.T0SZ)`;
  return broken(AARCH64_HOST_CHECKS.addressBits, why);
}

/** The right that a page of stage 2 does not give, to the access or to a walk of stage 1. */
function refusedByHost(pe: Pe, { access }: WalkRequest, { low }: WayEntry): Reason {
  const { readable, writable, marks, execute, deviceMemory } = AARCH64_HOST_CHECKS;
  const onWalk = (pe.fault.errorCode & ON_WALK) !== 0;
  if (onWalk && pe.rules.second.protectedType !== 0 && (low & pe.rules.second.protectedType) === 0) {
    return broken(deviceMemory, 'HCR_EL2.PTW = 1 keeps walks of stage 1 from Device memory');
  }
  if ((low & DESC_S2_READ) === 0 && (onWalk || access === 'read')) {
    return broken(readable, "the host's page has S2AP[0] = 0: no reads");
  }
  if (onWalk) {
    return broken(marks, "the host's page has S2AP[1] = 0: a walk of stage 1 may not mark the descriptor there");
  }
  if (access === 'fetch') return broken(execute, "the host's page has XN set: no execution at this level");
  return broken(writable, "the host's page has S2AP[1] = 0: no writes");
}

/** No descriptor was read. */
function outside(tables: TranslationTables, { hi, lo }: WalkRequest): Reason {
  const [half, value] = tables.sign === 0 ? ['0', 'all be 0'] : ['1', 'all be 1'];
  const { inputBits } = tables;
  if (tables.covers(hi, lo)) {
    const fields = `TCR_EL1.EPD${half}, E0PD${half} or T${half}SZ`;
    return broken(AARCH64_CHECKS.walks, `no walks with TTBR${half}_EL1: ${fields} forbids them`);
  }
  return broken(AARCH64_CHECKS.half, `bits 63 to ${inputBits} of an address of TTBR${half}_EL1 must ${value}`);
}

function untranslated(checks: typeof AARCH64_CHECKS | typeof AARCH64_HOST_CHECKS, last: WayEntry): Reason {
  const entry = entryOf(last);
  if ((last.low & DESC_VALID) === 0) return broken(checks.valid, `${entry} is not valid: bit 0 is 0`);
  const isTable = (last.low & DESC_TABLE) !== 0;
  const why = `${entry} has bit 1 = ${isTable ? 1 : 0}, which is reserved here: ${
    last.level === 0 ? 'the last level has pages alone' : 'the granule has no blocks at this level'
  }`;
  return broken(checks.type, why);
}

/** The first descriptor that takes the right away for all below, in words. */
function takenAbove(check: Check, entries: readonly WayEntry[], bit: number, name: string): Reason | undefined {
  const table = entries.slice(0, -1).find(({ high }) => (high & bit) !== 0);
  return table && broken(check, `${entryOf(table)} has ${name} = 1, for all below it`);
}

/** The right that a page does not give. Source: AArch64.S1DirectBasePermissions(). */
function refusedRight(
  pe: Pe,
  tables: TranslationTables,
  { access, user }: WalkRequest,
  entries: readonly WayEntry[],
  { high, low }: WayEntry,
): Reason {
  const { el0, el0Table, pan, writable, writableTable, writableNeverExecuted, el0Writable } = AARCH64_CHECKS;
  const above = tables.hierarchical === 0 ? [] : entries;
  const notEl0 =
    (low & DESC_EL0) === 0
      ? broken(el0, 'EL0 may read and write pages with AP[1] = 1 alone')
      : takenAbove(el0Table, above, DESC_NO_EL0_TABLE, 'APTable[0]');
  const readOnly =
    (low & DESC_READ_ONLY) !== 0 && !(tables.setsDirty && (high & DESC_DBM) !== 0)
      ? broken(writable, 'the page has AP[2] = 1: no writes')
      : takenAbove(writableTable, above, DESC_READ_ONLY_TABLE, 'APTable[1]');
  if (access === 'fetch') {
    const refused = refusedFetch(above, user, high);
    if (refused !== undefined) return refused;
    // The rest is about pages with writes alone.
    if (readOnly !== undefined || (user && notEl0 !== undefined)) return KEPT;
    if (pe.rules.writableNeverExecuted) {
      return broken(writableNeverExecuted, 'SCTLR_EL1.WXN = 1: no page that may be written is executed');
    }
    return !user && notEl0 === undefined ? broken(el0Writable) : KEPT;
  }
  if (user && notEl0 !== undefined) return notEl0;
  if (!user && notEl0 === undefined && pe.pan) return broken(pan, 'PSTATE.PAN = 1 keeps EL1 from pages of EL0');
  return readOnly ?? KEPT;
}

/** The descriptor that keeps an exception level from fetches. */
function refusedFetch(above: readonly WayEntry[], user: boolean, high: number): Reason | undefined {
  const { execute, executeTable } = AARCH64_CHECKS;
  const [bit, tableBit, name] = user ? [DESC_UXN, DESC_UXN_TABLE, 'UXN'] : [DESC_PXN, DESC_PXN_TABLE, 'PXN'];
  if ((high & bit) !== 0) return broken(execute, `the page has ${name} = 1: no execution at ${user ? 'EL0' : 'EL1'}`);
  return takenAbove(executeTable, above, tableBit, `${name}Table`);
}
