/** The loop of the decoder, in AssemblyScript: `PackedDecoder.decode` is the same in TypeScript. */

/** The control block: its fields, by their places in bytes, as hot/decode-loop.ts has them in words. */
const KNOWN = 0;
/** Places in memory: the next byte of a column, and the end of it. */
const OPERATION_AT = 4;
const OPERATIONS_END = 8;
const DIFFERENCE_AT = 12;
const DIFFERENCES_END = 16;
/** What is known of the accesses so far: see AccessModel. */
const SECOND = 20;
/** Eight operations, the older four in the high word. */
const HISTORY = 24;
const LAST = 32;
/** Accesses of each kind, 16 bits each: a block has fewer than 2^16. */
const KINDS = 40;
/** Kinds and sizes, by the numbers of operations. */
const BY_NUMBER = 48;

/** Places in the addresses of the model. */
const PAIRS = 0x8_0000;
const CURSORS = 0x10_0000;
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
 * that access: the plain path goes on. What few rounds need is read again there: V8 would save it in each round.
 * @param addresses those of the model
 * @param codes place of the first code
 * @param words place of the first access to write
 * @returns how many were decoded
 */
export function decode(control: u32, addresses: u32, codes: u32, words: u32, count: u32): u32 {
  const known = field(control, KNOWN);
  const from = field(control, OPERATION_AT);
  // Codes and operations are a byte an access: one place tells both.
  const toCode = codes - from;
  const end = min(field(control, OPERATIONS_END), from + count);
  let at = from;
  let history = load<u64>(control, HISTORY);
  let second = field(control, SECOND);
  let last = load<u64>(control, LAST);
  let kinds: u64 = 0;
  for (; at < end; at++) {
    const operation = <u32>load<u8>(at);
    if (operation >= known) break;
    const newHistory = (history << 8) | (<u64>operation);
    const site = addresses + tableIndex((<u32>newHistory) ^ (<u32>(newHistory >>> 32) * 0x9e37_79b1));
    const pair = addresses + tableIndex((<u32>last) ^ ((second + operation) * 0x9e37_79b1));
    const code = <u32>load<u8>(at + toCode);
    let address: u64 = 0;
    if (code == SITE_CODE) {
      address = load<u64>(site);
      store<u64>(pair, address, PAIRS);
    } else if (code == PAIR_CODE) {
      address = load<u64>(pair, PAIRS);
      store<u64>(site, address);
    } else if (code < SITE_CODE) {
      let next = field(control, DIFFERENCE_AT);
      let byte = <u64>load<u8>(next++);
      let zigzag = byte & 127;
      for (let shift: u64 = 7; byte > 127 && shift < MOST_SHIFT; shift += 7) {
        byte = <u64>load<u8>(next++);
        zigzag |= (byte & 127) << shift;
      }
      if (next > field(control, DIFFERENCES_END)) break;
      store<u32>(control, next, DIFFERENCE_AT);
      store<u64>(addresses, last, CURSORS);
      const cursor = addresses + (code << 3);
      address = load<u64>(cursor, CURSORS) + ((zigzag >>> 1) ^ (0 - (zigzag & 1)));
      store<u64>(cursor, address, CURSORS);
      store<u64>(site, address);
      store<u64>(pair, address, PAIRS);
    } else break;
    history = newHistory;
    second = <u32>last;
    last = address;
    const kindAndSize = load<u32>(control + (operation << 2), BY_NUMBER);
    // A shift goes by the low six bits: the kind, times 16.
    kinds += ONE << ((<u64>kindAndSize) << 4);
    store<u64>(words, rotl(address, 32));
    store<u32>(words, kindAndSize, 8);
    words += ACCESS_BYTES;
  }
  store<u32>(control, at, OPERATION_AT);
  store<u64>(control, history, HISTORY);
  store<u32>(control, second, SECOND);
  store<u64>(control, last, LAST);
  store<u64>(control, kinds, KINDS);
  return at - from;
}
