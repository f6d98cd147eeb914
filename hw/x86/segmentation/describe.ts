/** Descriptors and selectors in words, for people. */

import { formatHex } from '../../base/address.js';
import { CALL_GATE_16, CALL_GATE_32, CODE, CONFORMING, EXPAND_DOWN, isReadable } from './descriptor.js';
import { isNull, isWritableData, limitOf, LONG, namesLdt, requestedLevel, SYSTEM_TYPE_NAMES } from './descriptor.js';
import { unpackCallGate, unpackSegment } from './descriptor.js';

/** `GDT entry 5, RPL 3`, or `null selector`. */
export function describeSelector(selector: number): string {
  if (isNull(selector)) return 'null selector';
  return `${namesLdt(selector) ? 'LDT' : 'GDT'} entry ${selector >>> 3}, RPL ${requestedLevel(selector)}`;
}

function kindOf(high: number): string {
  const { type, codeOrData, big } = unpackSegment(high, 0);
  if (!codeOrData) return SYSTEM_TYPE_NAMES[type];
  if ((high & CODE) !== 0) {
    const bits = (high & LONG) !== 0 ? '64-bit' : big ? '32-bit' : '16-bit';
    const conforming = (high & CONFORMING) !== 0 ? 'conforming ' : '';
    return `${conforming}${bits} code (${isReadable(high) ? 'readable' : 'execute-only'})`;
  }
  const down = (high & EXPAND_DOWN) !== 0 ? `expand-down data (to ${big ? '4 GiB' : '64 KiB'}, ` : 'data (';
  return `${down}${isWritableData(high) ? 'writable' : 'read-only'})`;
}

/** One line: kind, base and limit in bytes (or the entry point of a call gate), DPL, and whether it is present. */
export function describeDescriptor(high: number, low: number): string {
  const { type, codeOrData, privilege, present, base } = unpackSegment(high, low);
  const status = `DPL ${privilege}, ${present ? 'present' : 'not present'}`;
  if (!codeOrData && (type === CALL_GATE_16 || type === CALL_GATE_32)) {
    const { selector, offset, parameters } = unpackCallGate(high, low);
    const entry = `${formatHex(0, selector)}:${formatHex(0, offset)}`;
    return `${kindOf(high)} to ${entry}, ${parameters} parameters, ${status}`;
  }
  const limit = formatHex(0, limitOf(high, low));
  return `${kindOf(high)}, base ${formatHex(0, base)}, limit ${limit}, ${status}`;
}
