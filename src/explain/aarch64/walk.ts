/** The walk of an AArch64 PE in words: its descriptors, its system registers, and the rule behind a refusal. */

import { toBigInt, toNumber } from '../../../hw/base/address.js';
import { decodeEntry } from '../../../hw/base/format.js';
import type { DecodedField, PagingLevel } from '../../../hw/base/format.js';
import { abortName, abortOf } from '../../../hw/aarch64/exception.js';
import { AARCH64_MODES, AARCH64_STAGE2_MODES, DESC_TABLE, DESC_VALID } from '../../../hw/aarch64/format.js';
import type { Pe } from '../../../hw/aarch64/pe.js';
import type { SystemRegisterName } from '../../../hw/aarch64/registers.js';
import {
  ARM_RIGHT_EL0,
  ARM_RIGHT_EL0_EXECUTE,
  ARM_RIGHT_EL1_EXECUTE,
  ARM_RIGHT_WRITE,
} from '../../../hw/aarch64/rights.js';
import type { TranslationTables } from '../../../hw/aarch64/rules.js';
import type { ReadEvent } from '../../../hw/translate/walk/events.js';
import type { EntryLevel } from '../entry-level.js';
import type { NestedTerms } from '../nested/nested-walk.js';
import { radixNestedTerms } from '../nested/radix-nested.js';
import type { RadixTerms } from '../radix/radix-walk.js';
import type { WalkRequest } from '../walk/walk.js';
import { abortReason } from './abort-reason.js';

const GRANULES = { 12: '4k', 14: '16k', 16: '64k' } as const;

/** The formats of a granule, by DS. */
function formatsOf({ granule: { shift, ds } }: TranslationTables): keyof typeof AARCH64_STAGE2_MODES {
  const name = GRANULES[shift as keyof typeof GRANULES];
  return ds && name !== '64k' ? `${name}-lpa2` : name;
}

/** The tables of an address: those of TTBR1_EL1 from bit 55 on. */
function tablesFor(pe: Pe, hi: number): TranslationTables {
  return pe.rules.tablesAt((hi << 8) >> 8);
}

/** The levels of these tables, root first: a short address makes the root's index shorter, or leaves levels out. */
function levelsOf(tables: TranslationTables): PagingLevel[] {
  const mode = tables.granule.shift === 16 && tables.inputBits > 48 ? '64k-lva' : formatsOf(tables);
  return fromRoot(AARCH64_MODES[mode].levels, tables);
}

function fromRoot(levels: readonly PagingLevel[], { rootLevel, inputBits }: TranslationTables): PagingLevel[] {
  return levels
    .filter(({ level }) => level <= rootLevel)
    .map((level) => (level.level === rootLevel ? { ...level, indexBits: inputBits - level.shift } : level));
}

/** What a PE at EL1 says about the walk of an access through the tables of stage 1. */
export function aarch64Terms(pe: Pe, { hi }: WalkRequest): RadixTerms {
  const tables = tablesFor(pe, hi);
  const { granule, inputBits } = tables;
  const levels = levelsOf(tables);
  const root = tables === pe.rules.upper ? 'TTBR1_EL1' : 'TTBR0_EL1';
  const blocks = levels.filter(({ pageEntry }) => pageEntry !== undefined).map(({ level }) => level);
  const pointsTo = (level: number, low: number): EntryLevel['pointsTo'] => {
    if ((low & DESC_VALID) === 0) return 'nothing';
    if ((low & DESC_TABLE) !== 0) return level === 0 ? 'page' : 'table';
    return level > 0 && blocks.includes(level) ? 'page' : 'nothing';
  };
  return {
    machine: 'aarch64',
    mode: formatsOf(tables),
    title: `VMSAv8-64, granule of ${2 ** (granule.shift - 10)} KiB, ${inputBits} bits`,
    section: AARCH64_MODES['4k'].section,
    levels,
    registers: registersOf(pe, [root, 'TCR_EL1', 'SCTLR_EL1']),
    pointsTo: (level, _high, low) => pointsTo(level, low),
    target: (fields) => addressIn(tables, fields),
    rights: rightsWords,
    marks: { accessed: 'AF', dirty: 'AP2' },
    fault: (request, entries) => {
      const { esr, far, el, hpfar } = abortOf(pe.fault.take());
      const [syndrome, address, page] = [esr, far, hpfar].map((value) => `0x${value.toString(16)}`);
      const ofHost = el === 2 ? { HPFAR_EL2: page } : {};
      return {
        name: abortName(esr),
        syndrome: { [`ESR_EL${el}`]: syndrome, [`FAR_EL${el}`]: address, ...ofHost },
        ...abortReason(pe, tables, request, entries),
      };
    },
  };
}

/** The address in a descriptor: its highest bits stand apart where there are 52. */
function addressIn({ granule: { address, ds } }: TranslationTables, fields: readonly DecodedField[]): number {
  const own = fields.find(({ name }) => name === 'OA' || name === 'table');
  const above = address.low === 0 ? undefined : fields.find(({ name }) => name.endsWith('Hi'));
  return (own?.value ?? 0) * 2 ** (own?.low ?? 0) + (above?.value ?? 0) * 2 ** (ds ? 50 : 48);
}

/** What a PE at EL1, under VTTBR_EL2, says about both stages of an access. */
export function aarch64NestedTerms(pe: Pe, request: WalkRequest): NestedTerms {
  const { second } = pe.rules;
  const tables = tablesFor(pe, request.hi);
  const first = aarch64Terms(pe, request);
  const granule = formatsOf(second);
  const offsetIn = (shift: number): bigint => BigInt.asUintN(shift, toBigInt(request.hi, request.lo));
  const fieldsOf = ({ level, high, low }: ReadEvent): readonly DecodedField[] => {
    const found = first.levels.find((candidate) => candidate.level === level);
    const isPage = first.pointsTo(level, high, low) === 'page';
    const format = isPage ? found?.pageEntry : found?.tableEntry;
    return format === undefined ? [] : decodeEntry(format, high, low);
  };
  return {
    ...radixNestedTerms(pe, first, request),
    guest: { title: first.title, levels: first.levels, entryBytes: 8 },
    host: {
      title: `stage 2, granule of ${2 ** (second.granule.shift - 10)} KiB, ${second.inputBits} bits`,
      levels: fromRoot(AARCH64_STAGE2_MODES[granule].levels, second),
    },
    root: toNumber(tables.rootHi, tables.rootLo),
    tableOf: (entry) => addressIn(tables, fieldsOf(entry)),
    pageOf: (entry) => {
      const page = BigInt(addressIn(tables, fieldsOf(entry)));
      return `0x${(page | offsetIn(tables.levelShifts[entry.level])).toString(16)}`;
    },
  };
}

/** `EL0 rw-`, or `EL1 r-x` for a page of the kernel alone. */
function rightsWords(code: number): string {
  const el0 = (code & ARM_RIGHT_EL0) !== 0;
  const executes = (code & (el0 ? ARM_RIGHT_EL0_EXECUTE : ARM_RIGHT_EL1_EXECUTE)) !== 0;
  return `${el0 ? 'EL0' : 'EL1'} r${(code & ARM_RIGHT_WRITE) === 0 ? '-' : 'w'}${executes ? 'x' : '-'}`;
}

function registersOf(pe: Pe, names: readonly SystemRegisterName[]): RadixTerms['registers'] {
  return Object.fromEntries(names.map((name) => [name, `0x${pe.readRegister(name).toString(16)}`]));
}
