/** The loop of the decoder, in AssemblyScript: `PackedDecoder.decode` is the same in TypeScript. */

/** The control block: its fields, by their places in bytes, as hot/decode-loop.ts has them in words. */
const KNOWN = 0;
/** Places in memory: the next byte of a column, and the end of it. */
const OPERATION_AT = 4;
const OPERATIONS_END = 8;
const DIFFERENCE_AT = 12;
const DIFFERENCES_END = 16;
/** What is known of the accesses so far: see AccessModel. */
const OPERATIONS = 20;
const OLDER_OPERATIONS = 24;
const SECOND = 28;
const LAST = 32;
/** Accesses of each kind, 16 bits each. */
const KINDS = 40;
/** Kinds and sizes, by the numbers of operations. */
const BY_NUMBER = 48;

/** Places in the addresses of the model. */
const PAIRS: u32 = 0x8_0000;
const CURSORS: u32 = 0x10_0000;
const SITE_CODE: u32 = 32;
const PAIR_CODE: u32 = 33;
const MOST_SHIFT: u64 = 70;
const ACCESS_BYTES: u32 = 12;
const ONE: u64 = 1;

function field(control: u32, place: u32): u32 {
  return load<u32>(control + place);
}

function tableIndex(word: u32): u32 {
  return (((word ^ (word >>> 15)) * 0x85eb_ca6b) >>> 16) << 3;
}

/**
 * Decodes up to `count` accesses. It stops at a new operation, and wherever columns have a fault, with nothing changed for
 * that access: the plain path goes on.
 * @param addresses those of the model
 * @param codes place of the first code
 * @param words place of the first access to write
 * @returns how many were decoded
 */
export function decode(control: u32, addresses: u32, codes: u32, words: u32, count: u32): u32 {
  const known = field(control, KNOWN);
  const operationsEnd = field(control, OPERATIONS_END);
  const differencesEnd = field(control, DIFFERENCES_END);
  let operationAt = field(control, OPERATION_AT);
  let differenceAt = field(control, DIFFERENCE_AT);
  let operations = field(control, OPERATIONS);
  let older = field(control, OLDER_OPERATIONS);
  let second = field(control, SECOND);
  let last = load<u64>(control, LAST);
  let kinds: u64 = 0;
  let i: u32 = 0;
  for (; i < count; i++) {
    if (operationAt >= operationsEnd) break;
    const operation = <u32>load<u8>(operationAt);
    if (operation >= known) break;
    const newOlder = (older << 8) | (operations >>> 24);
    const newOperations = (operations << 8) | operation;
    const site = addresses + tableIndex(newOperations ^ (newOlder * 0x9e37_79b1));
    const pair = addresses + PAIRS + tableIndex((<u32>last) ^ ((second + operation) * 0x9e37_79b1));
    const code = <u32>load<u8>(codes + i);
    let address: u64 = 0;
    if (code == SITE_CODE) {
      address = load<u64>(site);
      store<u64>(pair, address);
    } else if (code == PAIR_CODE) {
      address = load<u64>(pair);
      store<u64>(site, address);
    } else if (code < SITE_CODE) {
      let at = differenceAt;
      let zigzag: u64 = 0;
      let shift: u64 = 0;
      let byte: u64;
      do {
        byte = <u64>load<u8>(at++);
        zigzag |= (byte & 127) << shift;
        shift += 7;
      } while (byte > 127 && shift < MOST_SHIFT);
      if (at > differencesEnd) break;
      differenceAt = at;
      store<u64>(addresses + CURSORS, last);
      const cursor = addresses + CURSORS + (code << 3);
      address = load<u64>(cursor) + ((zigzag >>> 1) ^ (0 - (zigzag & 1)));
      store<u64>(cursor, address);
      store<u64>(site, address);
      store<u64>(pair, address);
    } else break;
    operationAt++;
    older = newOlder;
    operations = newOperations;
    second = <u32>last;
    last = address;
    const kindAndSize = load<u32>(control + (operation << 2), BY_NUMBER);
    const place: u64 = (kindAndSize & 3) << 4;
    kinds += ONE << place;
    store<u32>(words, <u32>(address >>> 32));
    store<u32>(words + 4, <u32>address);
    store<u32>(words + 8, kindAndSize);
    words += ACCESS_BYTES;
  }
  store<u32>(control, operationAt, OPERATION_AT);
  store<u32>(control, differenceAt, DIFFERENCE_AT);
  store<u32>(control, operations, OPERATIONS);
  store<u32>(control, older, OLDER_OPERATIONS);
  store<u32>(control, second, SECOND);
  store<u64>(control, last, LAST);
  store<u64>(control, kinds, KINDS);
  return i;
}
