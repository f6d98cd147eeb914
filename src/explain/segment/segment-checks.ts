/**
 * The processor's checks of a segment, one by one and in order, for people: loads of a segment register
 * and accesses through it. Jumps and calls are in jump-checks.ts and call-checks.ts.
 *
 * The segmentation unit makes them in one go; a test holds these lists to it for random descriptors.
 */

import { FETCH, READ, WRITE } from '../../../hw/base/access.js';
import { GENERAL_PROTECTION, SEGMENT_NOT_PRESENT, STACK_FAULT } from '../../../hw/x86/exception.js';
import {
  isConformingCode,
  isReadable,
  isWritableData,
  privilegeOf,
  requestedLevel,
} from '../../../hw/x86/segmentation/descriptor.js';
import { levelsReach } from '../../../hw/x86/segmentation/load.js';
import type { SegmentRegister } from '../../../hw/x86/segmentation/register.js';
import { SS } from '../../../hw/x86/segmentation/register.js';
import type { SegmentationUnit } from '../../../hw/x86/segmentation/unit.js';
import { hex, inTable, LIMITS, present, SDM_3A, SELECTORS, TYPES } from '../rule.js';
import type { FoundDescriptor, Rule } from '../rule.js';

const DATA_LEVELS = SDM_3A('Privilege Level Checking When Accessing Data Segments');
const STACK_LEVELS = SDM_3A('Privilege Level Checking When Loading the SS Register');

/** Loading DS, ES, FS, GS or SS with a selector other than null, in the order of "MOV—Move". */
export function loadRules(unit: SegmentationUnit, register: number, selector: number, found: FoundDescriptor): Rule[] {
  const high = found?.hi ?? 0;
  const fault: [number, number] = [GENERAL_PROTECTION, selector & 0xfffc];
  const first = inTable(unit, selector, found);
  if (register !== SS) {
    return [first, ...dataRules(unit, selector, high, fault), present(SEGMENT_NOT_PRESENT, selector, high)];
  }
  const [rpl, dpl] = [requestedLevel(selector), privilegeOf(high)];
  return [
    first,
    { rule: `RPL ${rpl} equals CPL ${unit.cpl}`, holds: rpl === unit.cpl, fault, section: STACK_LEVELS },
    { rule: 'it is data that may be written', holds: isWritableData(high), fault, section: TYPES },
    { rule: `DPL ${dpl} equals CPL ${unit.cpl}`, holds: dpl === unit.cpl, fault, section: STACK_LEVELS },
    present(STACK_FAULT, selector, high),
  ];
}

function dataRules(unit: SegmentationUnit, selector: number, high: number, fault: readonly [number, number]): Rule[] {
  const levels = `CPL ${unit.cpl} and RPL ${requestedLevel(selector)} are at most DPL ${privilegeOf(high)}`;
  const conforming = isConformingCode(high);
  return [
    { rule: 'it is data, or code that may be read', holds: isReadable(high), fault, section: TYPES },
    {
      rule: conforming ? 'it is conforming code, so levels do not count' : levels,
      holds: conforming || levelsReach(unit, selector, high),
      fault,
      section: DATA_LEVELS,
    },
  ];
}

/** A null selector may be loaded into a data register outside of use; SS takes it only in 64-bit mode below CPL 3. */
export function nullRules(unit: SegmentationUnit, register: number, selector: number): Rule[] {
  if (register !== SS) return [];
  const holds = unit.is64Bit && unit.cpl < 3 && requestedLevel(selector) === unit.cpl;
  const rule = 'the selector is not null (SS takes null only in 64-bit mode below CPL 3, with RPL = CPL)';
  return [{ rule, holds, fault: [GENERAL_PROTECTION, 0], section: SELECTORS }];
}

const DEEDS: Readonly<Record<number, string>> = { [READ]: 'reads', [WRITE]: 'writes', [FETCH]: 'fetches' };

/** An access through a loaded register: type, then limit; neither counts in 64-bit mode. */
export function accessRules(register: SegmentRegister, offset: number, size: number, access: number): Rule[] {
  const fault: [number, number] = [register.faultStatus, 0];
  return [
    {
      rule: `the segment allows ${DEEDS[access]}`,
      holds: register.allows(access),
      fault,
      section: TYPES,
    },
    {
      rule: `${byteWords(offset, size)} ${size === 1 ? 'lies' : 'lie'} inside ${rangeWords(register)}${outsideWords(register, offset, size)}`,
      holds: register.covers(offset, size),
      fault,
      section: LIMITS,
    },
  ];
}

function byteWords(offset: number, size: number): string {
  const last = (offset >>> 0) + size - 1;
  return size === 1 ? `the byte at ${hex(offset)}` : `all ${size} bytes, ${hex(offset)} to 0x${last.toString(16)},`;
}

function rangeWords({ first, last }: SegmentRegister): string {
  return first >>> 0 > last >>> 0 ? 'the segment, which has none' : `${hex(first)} to ${hex(last)}`;
}

/** How many bytes lie outside, if some do and some do not: the access is refused whole. */
function outsideWords(register: SegmentRegister, offset: number, size: number): string {
  const start = offset >>> 0;
  const inside = Array.from({ length: size }, (_, i) => start + i).filter(
    (byte) => byte < 2 ** 32 && register.covers(byte | 0, 1),
  );
  if (inside.length === 0 || inside.length === size) return '';
  return `; ${inside.length} of them ${inside.length === 1 ? 'does' : 'do'}, ${size - inside.length} of them not`;
}
