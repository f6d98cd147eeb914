/**
 * The audit: every mapping and table counted again from the page tables, and compared with the kernel's books.
 */

import { PAGE_BYTES, toHex } from '../../../hw/base/address.js';
import { USER_END } from '../abi/layout.js';
import type { AddressSpace, Vma } from '../space/model.js';
import { isWhole } from '../abi/arguments.js';
import { FRAME_ANON, FRAME_DIRTY, FRAME_TABLE, MAP_COUNT } from '../frames/frames.js';
import { firstFrame } from '../pages/mapping.js';
import type { Memory } from '../space/memory.js';
import { TABLE_ENTRIES } from '../tables/page-table.js';

class Audit {
  readonly problems: string[] = [];
  /** Entries found for a frame alone, and huge entries for a whole folio, by frame. */
  readonly #parts: Int32Array;
  readonly #whole = new Map<number, number>();
  readonly #inUse: Uint8Array;
  #resident = 0;
  #tables = 0;
  #huge = 0;

  constructor(private readonly memory: Memory) {
    this.#parts = new Int32Array(memory.ram.frames);
    this.#inUse = new Uint8Array(memory.ram.frames);
  }

  private report(text: string): void {
    this.problems.push(text);
  }

  space(space: AddressSpace): void {
    this.#resident = 0;
    this.#tables = 0;
    this.#huge = 0;
    this.#vmas(space);
    this.#table(space, space.root, 39, 0);
    const name = `space ${space.id}`;
    if (this.#resident !== space.residentPages) {
      this.report(`${name}: ${this.#resident} pages are present, ${space.residentPages} are accounted`);
    }
    if (this.#tables !== space.tables) {
      this.report(`${name}: ${this.#tables} tables are linked, ${space.tables} are accounted`);
    }
    if (this.#huge !== space.deposit.length) {
      this.report(`${name}: ${this.#huge} huge entries could be split, ${space.deposit.length} tables are set aside`);
    }
    for (const table of space.deposit) this.#markTable(table, name);
  }

  #vmas(space: AddressSpace): void {
    let end = 0;
    for (const vma of space.vmas) {
      const name = `space ${space.id}: VMA ${toHex(vma.start)}`;
      if (![vma.start, vma.end].every((edge) => isWhole(edge, 0, USER_END) && edge % PAGE_BYTES === 0)) {
        this.report(`${name} has an edge that is no page of a process: ${vma.start}, ${vma.end}`);
      }
      if (!(vma.start >= end) || !(vma.end > vma.start)) this.report(`${name} is empty or overlaps the one before`);
      if (vma.anonVma !== null && !vma.chain.includes(vma.anonVma)) this.report(`${name} is not on its own anon_vma`);
      if (vma.chain.some((anonVma) => !anonVma.vmas.has(vma))) this.report(`${name} is missing in the reverse map`);
      if (vma.file !== null && !vma.file.object.vmas.has(vma)) this.report(`${name} is missing in its object's list`);
      end = vma.end;
    }
    for (const vma of space.vmas.stale()) {
      this.report(`space ${space.id}: the tree is wrong about VMA ${toHex(vma.start)} or what lies below it`);
    }
  }

  #markTable(frame: number, name: string): void {
    if (this.#inUse[frame] !== 0) this.report(`${name}: frame ${frame} is a table and something else, too`);
    if ((this.memory.frames.flags[frame] & FRAME_TABLE) === 0)
      this.report(`${name}: table ${frame} is not marked as one`);
    this.#inUse[frame] = 1;
  }

  #table(space: AddressSpace, table: number, shift: number, base: number): void {
    this.#tables++;
    this.#markTable(table, `space ${space.id}`);
    const { entries, tables } = this.memory;
    for (let i = 0; i < TABLE_ENTRIES; i++) {
      const at = tables.placeIn(table, i);
      const low = tables.words[at];
      if (low === 0) continue;
      const address = base + i * 2 ** shift;
      if (shift > 12 && entries.isTable(low)) this.#table(space, tables.frameAt(at), shift - 9, address);
      else if (entries.isMapped(low)) this.#page(space, at, shift, address);
      else if (space.vmas.at(address) === undefined)
        this.report(`space ${space.id}: guard page ${toHex(address)} outside of any VMA`);
    }
  }

  #page(space: AddressSpace, at: number, shift: number, address: number): void {
    const { memory } = this;
    const { entries } = memory;
    const low = memory.tables.words[at];
    const frame = firstFrame(memory.tables, at, shift);
    const name = `space ${space.id}: page ${toHex(address)}`;
    const vma = space.vmas.at(address);
    if (vma === undefined || address + 2 ** shift > vma.end) {
      this.report(`${name} is mapped outside of any VMA`);
      return;
    }
    if (shift > 12 && vma.pageShift === 12 && vma.isAnonymous) this.#huge++;
    if (entries.isSpecial(low)) {
      if (!memory.isZeroFrame(frame) || entries.isWritable(low)) this.report(`${name}: not a read-only zero page`);
      return;
    }
    this.#resident += 2 ** (shift - 12);
    if (shift === 12) this.#parts[frame]++;
    else this.#whole.set(frame, (this.#whole.get(frame) ?? 0) + 1);
    this.#ownership(vma, name, frame, address, entries.isWritable(low));
  }

  /** May this process reach the frame, and may it write? */
  #ownership(vma: Vma, name: string, frame: number, address: number, writable: boolean): void {
    const { frames } = this.memory;
    const head = frames.headOf(frame);
    const owner = frames.owner[head];
    const index = frames.indexOf(head) + frame - head;
    if (index !== vma.pageOffset(address)) this.report(`${name}: frame ${frame} belongs to page offset ${index}`);
    if ((frames.flags[head] & FRAME_ANON) === 0) {
      if (owner !== vma.file?.object.id) this.report(`${name}: frame ${frame} belongs to another object`);
      if (writable && !vma.isShared) this.report(`${name}: a private mapping may write to the page cache`);
      const unnoticed = writable && vma.file?.object.kind === 'disk' && (frames.flags[head] & FRAME_DIRTY) === 0;
      if (unnoticed)
        this.report(`${name}: writable, but frame ${frame} of a disk file is clean: no fault will tell of a write`);
      return;
    }
    if (!vma.chain.some((anonVma) => anonVma.id === owner))
      this.report(`${name}: frame ${frame} is not reachable by the reverse map`);
    if (writable && !frames.isExclusive(frame)) this.report(`${name}: writable, but frame ${frame} is not exclusive`);
  }

  /** Compares the findings with the records of every frame. */
  frames(): void {
    const { frames, objects } = this.memory;
    const free = new Uint8Array(this.memory.ram.frames);
    frames.buddy.forEachFree((frame, order) => free.fill(1, frame, frame + (1 << order)));
    const pins = new Map<number, number>();
    for (const object of objects.values()) {
      for (const frame of object.pages.values()) {
        const head = frames.headOf(frame);
        pins.set(head, (pins.get(head) ?? 0) + 1);
      }
    }
    for (const frame of this.memory.kernelFrames()) pins.set(frame, 1);
    for (let frame = 1; frame < this.memory.ram.frames; frame++) {
      const quiet =
        free[frame] === 1 && this.#parts[frame] === 0 && this.#inUse[frame] === 0 && frames.map[frame] === 0;
      if (!quiet && this.memory.ram.hasFrame(frame)) this.#frame(frame, free[frame] === 1, pins);
    }
  }

  #frame(frame: number, free: boolean, pins: Map<number, number>): void {
    const { frames } = this.memory;
    const found = this.#parts[frame];
    const head = frames.headOf(frame);
    const used = this.#inUse[frame] === 1 || frames.references(head) > 0;
    if (free && (used || found > 0)) this.report(`frame ${frame} is free and in use`);
    if (!free && !used) this.report(`frame ${frame} is leaked: allocated, but nothing holds it`);
    if ((frames.map[frame] & MAP_COUNT) !== found) {
      this.report(`frame ${frame}: ${found} entries map it, ${frames.map[frame] & MAP_COUNT} are counted`);
    }
    const whole = this.#whole.get(head) ?? 0;
    if (frames.isExclusive(frame) && found + whole > 1) {
      this.report(`frame ${frame}: exclusive, but mapped ${found + whole} times`);
    }
    if (frame !== head) return;
    if (frames.order[frame] !== 0) this.#largeFolio(frame, whole);
    else if (whole > 0) this.report(`frame ${frame}: mapped by a huge entry, but it is a single frame`);
    if (frames.pins[frame] !== (pins.get(frame) ?? 0))
      this.report(`frame ${frame}: ${frames.pins[frame]} pins are counted, ${pins.get(frame) ?? 0} found`);
  }

  #largeFolio(head: number, whole: number): void {
    const folio = this.memory.frames.largeAt(head);
    let parts = 0;
    for (let i = 0; i < 1 << this.memory.frames.order[head]; i++) parts += this.#parts[head + i];
    if (folio.whole !== whole) this.report(`folio ${head}: ${whole} huge entries map it, ${folio.whole} are counted`);
    if (folio.total !== whole + parts)
      this.report(`folio ${head}: ${whole + parts} mappings, ${folio.total} are counted`);
  }
}

/** Errors in the kernel's books, a line each; empty when every frame is accounted for. */
export function audit(memory: Memory): string[] {
  const run = new Audit(memory);
  for (const space of memory.spaces) run.space(space);
  run.frames();
  return run.problems;
}
