/** Finds a function in an ELF file: System V Application Binary Interface, "Object Files". */

import { readFileSync } from 'node:fs';

const PT_LOAD = 1;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;

/** @returns the tables of a file's header, each with the places of its entries */
function table(file: Buffer, offsetAt: number, sizeAt: number): number[] {
  const offset = Number(file.readBigUInt64LE(offsetAt));
  const size = file.readUInt16LE(sizeAt);
  return Array.from({ length: file.readUInt16LE(sizeAt + 2) }, (_, i) => offset + size * i);
}

/** Address of the lowest code in the file, before it is loaded. */
function firstCode(file: Buffer): number {
  const code = table(file, 32, 54).filter(
    (at) => file.readUInt32LE(at) === PT_LOAD && (file.readUInt32LE(at + 4) & PF_X) !== 0,
  );
  return Math.min(...code.map((at) => Number(file.readBigUInt64LE(at + 16))));
}

function nameAt(file: Buffer, offset: number): string {
  return file.toString('latin1', offset, file.indexOf(0, offset));
}

/** @returns the functions' symbols in one table of symbols under a name */
function addressesIn(file: Buffer, section: number, sections: readonly number[], name: string): number[] {
  const offset = Number(file.readBigUInt64LE(section + 24));
  const count = Number(file.readBigUInt64LE(section + 32)) / 24;
  const strings = Number(file.readBigUInt64LE(sections[file.readUInt32LE(section + 40)] + 24));
  const symbols = Array.from({ length: count }, (_, i) => offset + 24 * i);
  return symbols
    .filter((at) => (file[at + 4] & 15) === STT_FUNC && file.readUInt16LE(at + 6) !== 0)
    .filter((at) => nameAt(file, strings + file.readUInt32LE(at)) === name)
    .map((at) => Number(file.readBigUInt64LE(at + 8)));
}

/**
 * How far a function of a 64-bit little-endian program lies behind the program's first code.
 * @returns the offset in bytes, or in words why there is none
 */
export function offsetOfFunction(path: string, name: string): number | string {
  try {
    const file = readFileSync(path);
    const sections = table(file, 40, 58);
    const tables = sections.filter((at) => [SHT_SYMTAB, SHT_DYNSYM].includes(file.readUInt32LE(at + 4)));
    const address = tables.flatMap((at) => addressesIn(file, at, sections, name)).at(0);
    if (address === undefined) return `'${path}' has no such function among its symbols; strip takes them away`;
    return address - firstCode(file);
  } catch (error) {
    return `the symbols of '${path}' cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
