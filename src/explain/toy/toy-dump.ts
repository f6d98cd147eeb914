/** A toy machine laid out: its address, its tables, its TLB, its memory. */

import { flagNames } from '../../../hw/base/format.js';
import type { ToyMachine } from '../../../hw/toy/machine.js';
import { toyEntryFormat, toyFlag, toyFrame } from '../../../hw/toy/shape.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { addressParts } from './toy-split.js';
import { hexText, toyTableName } from './toy-steps.js';

/** A valid entry, and its page or table. */
interface ToyMapping {
  readonly table: string;
  readonly level: number;
  readonly index: number;
  readonly entryAddress: string;
  readonly raw: string;
  readonly flags: string;
  readonly frame: string;
}

/** The result of `pagewalk walk --machine toy` without an address. */
export interface ToyDump {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'walk';
  readonly machine: 'toy';
  readonly about: string;
  readonly virtualBits: number;
  readonly physicalBits: number;
  readonly memoryBytes: number;
  /** The parts of an address and their bits, highest first. */
  readonly parts: readonly { readonly name: string; readonly bits: number }[];
  /** Valid entries, a table after the entry for it. */
  readonly entries: readonly ToyMapping[];
  /** Tables in use, the root among them, and their bytes. */
  readonly tables: number;
  readonly tableBytes: number;
  /** Accesses made before, and what the TLB said of them. */
  readonly accesses: { readonly made: number; readonly hits: number; readonly walks: number };
  readonly segments: readonly {
    readonly number: number;
    readonly base: string;
    readonly limit: number;
    readonly grows: string;
  }[];
  readonly tlb: readonly {
    readonly set: number;
    readonly tag: string;
    readonly page: string;
    readonly frame: string;
  }[];
  /** Rows of 16 bytes with anything but zeros. */
  readonly memory: readonly { readonly at: string; readonly bytes: string }[];
}

/** Everything of a machine that a sheet of paper would show. */
export function dumpToy(machine: ToyMachine, about: string): ToyDump {
  const { shape, tlb } = machine;
  const { virtualBits, physicalBits, memoryBytes, paging, segmentation } = shape;
  const { data, fetch } = machine.counters.snapshot();
  const seen = new Map<number, number>();
  const entries = paging ? entriesOf(machine, paging.root, paging.levels.length - 1, seen) : [];
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    machine: 'toy',
    about,
    virtualBits,
    physicalBits,
    memoryBytes,
    parts: addressParts(shape).map(([name, bits]) => ({ name, bits })),
    entries,
    tables: seen.size,
    tableBytes: [...seen.values()].reduce((sum, bytes) => sum + bytes, 0),
    accesses: {
      made: data.lookups + fetch.lookups,
      hits: data.l1Hits + fetch.l1Hits,
      walks: data.walks + fetch.walks,
    },
    segments: (segmentation?.registers ?? []).map(({ base, limit, grows }, number) => ({
      number,
      base: hexText(base),
      limit,
      grows,
    })),
    tlb: (tlb?.sets ?? []).flatMap((held, set) =>
      held.map(({ page, frame }) => ({
        set,
        tag: hexText(tlb?.tagOf(page) ?? 0),
        page: hexText(page),
        frame: hexText(frame),
      })),
    ),
    memory: memoryRows(machine),
  };
}

/**
 * The valid entries from a table down; `seen` gets the bytes of each table by its address. A table in a circle ends there,
 * and one larger than memory where memory ends.
 */
function entriesOf(machine: ToyMachine, table: number, level: number, seen: Map<number, number>): ToyMapping[] {
  const { paging, memoryBytes } = machine.shape;
  if (paging === undefined || seen.has(table)) return [];
  const { levels, entry, tableEntry = entry, pageBytes } = paging;
  const layout = level === 0 ? entry : tableEntry;
  const count = 2 ** levels[levels.length - 1 - level];
  seen.set(table, count * layout.bytes);
  const found: ToyMapping[] = [];
  const end = Math.min(table + count * layout.bytes, memoryBytes - layout.bytes + 1);
  for (let at = table; at < end; at += layout.bytes) {
    const value = machine.valueAt(at, layout.bytes);
    if (!toyFlag(layout, value, 'valid')) continue;
    const frame = toyFrame(layout, value);
    found.push({
      table: toyTableName(level),
      level,
      index: (at - table) / layout.bytes,
      entryAddress: hexText(at),
      raw: `0x${value.toString(16).padStart(2 * layout.bytes, '0')}`,
      flags: flagNames(toyEntryFormat(layout), 0, value | 0),
      frame: hexText(frame),
    });
    const below = level === 0 ? [] : entriesOf(machine, frame * pageBytes, level - 1, seen);
    for (const mapping of below) found.push(mapping);
  }
  return found;
}

/** Bytes of a row of memory. */
export const TOY_ROW_BYTES = 16;

/** Physical addresses of the rows with anything but zeros. */
export function filledToyRows({ ram: { words }, shape: { memoryBytes } }: ToyMachine): number[] {
  const rows: number[] = [];
  for (let at = 0; at < memoryBytes; at += TOY_ROW_BYTES) {
    const word = at / 4;
    if ((words[word] | words[word + 1] | words[word + 2] | words[word + 3]) !== 0) rows.push(at);
  }
  return rows;
}

/** The rows to show. */
function memoryRows(machine: ToyMachine): { at: string; bytes: string }[] {
  const { words } = machine.ram;
  return filledToyRows(machine).map((at) => {
    const row = new Uint8Array(words.buffer, at, Math.min(TOY_ROW_BYTES, machine.shape.memoryBytes - at));
    return { at: hexText(at), bytes: [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') };
  });
}
