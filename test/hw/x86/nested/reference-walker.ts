/**
 * Nested paging a second time, in BigInt and in the order of the manuals, for comparison with the machine.
 * Sources: Intel SDM vol. 3C, chapter "VMX Support for Address Translation"; AMD APM vol. 2, "Nested Paging" (15.25).
 * It shares no code with hw/.
 */

import { bit, bits, refusal, reserved, SHIFTS } from '../reference-walker.js';
import type { ReferenceAccess, ReferenceState } from '../reference-walker.js';

/** The host's tables: EPT with its controls, or NPT in the host's paging mode. */
export type ReferenceHost =
  | { readonly kind: 'ept'; readonly root: bigint; readonly levels: 4 | 5; readonly ad: boolean; readonly mbe: boolean }
  | { readonly kind: 'npt'; readonly root: bigint; readonly mode: '32' | 'pae' | '4l' | '5l'; readonly nxe: boolean };

interface NestedReference {
  /** The physical address, or the fault or exit in words. */
  readonly result: bigint | string;
  /** Bits set in entries, by physical address, in order. */
  readonly sets: readonly (readonly [bigint, bigint])[];
  /** Entries read. */
  readonly reads: number;
}

/** An access to a guest-physical address. */
interface HostAccess {
  readonly write: boolean;
  readonly fetch: boolean;
  /** EPT: the linear address is a user-mode one. */
  readonly user: boolean;
  /** For an entry of the guest's tables; `update` if to set its A or D. */
  readonly table?: 'read' | 'update';
}

/** What ends a walk: a fault or an exit. */
class Stop extends Error {}

const hex = (value: bigint | number): string => value.toString(16);

class NestedWalk {
  readonly sets: [bigint, bigint][] = [];
  reads = 0;

  constructor(
    readonly guest: ReferenceState,
    readonly host: ReferenceHost,
    readonly memory: (address: bigint, bytes: number) => bigint,
    readonly linear: bigint,
    readonly access: ReferenceAccess,
  ) {}

  read(address: bigint, bytes: number): bigint {
    this.reads++;
    return this.memory(address, bytes);
  }

  /** "EPT Translation Mechanism", "EPT Misconfigurations", "EPT Violations", "Accessed and Dirty Flags for EPT". */
  ept(gpa: bigint, access: HostAccess, page: number): bigint {
    const { host } = this;
    if (host.kind !== 'ept') throw new Error('not under EPT');
    const asWrite = access.write || (access.table === 'read' && host.ad);
    const violation = (all: bigint): Stop => {
      const kind = access.fetch ? 4 : access.table === 'read' && host.ad ? 3 : access.write ? 2 : 1;
      const allowed = (Number(all & 7n) << 3) | (bit(all, 10) ? 0x40 : 0);
      return new Stop(
        `violation ${hex(kind | allowed | 0x80 | (access.table === undefined ? 0x100 | page : 0))} ${hex(gpa)}`,
      );
    };
    if (host.levels === 4 && gpa >> 48n !== 0n) throw violation(0n);
    const path: bigint[] = [];
    let table = host.root;
    let all = -1n;
    for (const shift of SHIFTS[host.levels === 5 ? '5l' : '4l']) {
      const address = table + bits(gpa, shift + 8, shift) * 8n;
      const entry = this.read(address, 8);
      path.push(address);
      all &= entry;
      if ((entry & 7n) === 0n && !(host.mbe && bit(entry, 10))) throw violation(all);
      const leaf = shift === 12 || (shift <= 30 && bit(entry, 7));
      const type = bits(entry, 5, 3);
      const wrong = leaf
        ? [2n, 3n, 7n].includes(type) || bits(entry, shift - 1, 12) !== 0n
        : bits(entry, shift >= 39 ? 7 : 6, 3) !== 0n;
      if (wrong || (bit(entry, 1) && !bit(entry, 0)) || (this.guest.m < 52 && bits(entry, 51, this.guest.m) !== 0n)) {
        throw new Stop(`misconfiguration ${hex(gpa)}`);
      }
      table = bits(entry, 51, 12) << 12n;
      if (!leaf) continue;
      const execute = host.mbe && access.user ? 10 : 2;
      if (!bit(all, access.fetch ? execute : asWrite ? 1 : 0)) throw violation(all);
      if (host.ad) for (const step of path) this.sets.push([step, 0x100n]);
      if (host.ad && asWrite) this.sets.push([address, 0x200n]);
      return (bits(entry, 51, shift) << BigInt(shift)) | bits(gpa, shift - 1, 0);
    }
    throw new Error('the last level always maps a page');
  }

  /** "Nested Table Walk": every access is a user one; those to the guest's tables are writes. */
  npt(gpa: bigint, access: HostAccess): bigint {
    const { host, guest } = this;
    if (host.kind !== 'npt') throw new Error('not under NPT');
    const { mode, nxe } = host;
    const flags = { ...guest.flags, nxe, pse: true, smep: false, smap: false, pke: false, pks: false };
    const state = { ...guest, mode, flags };
    const write = access.write || access.table !== undefined;
    const fault = (cause: number): Stop => {
      const code = cause | (write ? 2 : 0) | 4 | (access.fetch && nxe && mode !== '32' ? 16 : 0);
      return new Stop(`npf ${access.table === undefined ? 1 : 2}${hex(code).padStart(8, '0')} ${hex(gpa)}`);
    };
    if (gpa >> { '32': 32n, pae: 32n, '4l': 48n, '5l': 57n }[mode] !== 0n) throw fault(0);
    const { entries, addresses, shift } = this.tables(state, host.root, gpa, (address) => address, fault, true);
    const kind = { write, fetch: access.fetch, user: true, implicit: false };
    if (refusal(state, entries, kind) !== 0) throw fault(1);
    this.mark(addresses, write);
    return this.pageOf(mode, entries[entries.length - 1], shift, gpa);
  }

  /** The entries from the root to the page, at addresses that `at` translates. */
  tables(
    state: ReferenceState,
    root: bigint,
    address: bigint,
    at: (address: bigint) => bigint,
    fault: (cause: number) => Stop,
    amd: boolean,
  ): { entries: bigint[]; addresses: bigint[]; gpas: bigint[]; shift: number } {
    const { mode, m, flags } = state;
    const [entries, addresses, gpas]: bigint[][] = [[], [], []];
    const bytes = mode === '32' ? 4 : 8;
    let table = root;
    if (mode === 'pae') {
      let pdpte = state.pdptes[Number(bits(address, 31, 30))];
      if (amd) pdpte = this.read(at(root + bits(address, 31, 30) * 8n), 8);
      if (!bit(pdpte, 0)) throw fault(0);
      if (amd && (bits(pdpte, 2, 1) !== 0n || bits(pdpte, 8, 5) !== 0n || bits(pdpte, 63, m) !== 0n)) throw fault(9);
      table = bits(pdpte, 51, 12) << 12n;
    }
    for (const shift of SHIFTS[mode]) {
      const gpa = table + bits(address, shift + (bytes === 4 ? 9 : 8), shift) * BigInt(bytes);
      const physical = at(gpa);
      const entry = this.read(physical, bytes);
      gpas.push(gpa);
      addresses.push(physical);
      entries.push(entry);
      if (!bit(entry, 0)) throw fault(0);
      const isPage = shift === 12 || (bit(entry, 7) && shift <= 30 && (bytes === 8 || flags.pse));
      if (reserved(state, entry, shift, isPage) || (amd && shift >= 39 && bit(entry, 8))) throw fault(9);
      if (isPage) return { entries, addresses, gpas, shift };
      table = bits(entry, bytes === 4 ? 31 : 51, 12) << 12n;
    }
    throw new Error('the last level always maps a page');
  }

  mark(addresses: readonly bigint[], write: boolean): void {
    for (const address of addresses) this.sets.push([address, 0x20n]);
    if (write) this.sets.push([addresses[addresses.length - 1], 0x40n]);
  }

  pageOf(mode: string, entry: bigint, shift: number, address: bigint): bigint {
    const low = bits(entry, mode === '32' ? 31 : 51, shift) << BigInt(shift);
    const page = mode === '32' && shift === 22 ? low | (bits(entry, 20, 13) << 32n) : low;
    return page | bits(address, shift - 1, 0);
  }

  below(gpa: bigint, access: HostAccess, page = 0): bigint {
    return this.host.kind === 'ept' ? this.ept(gpa, access, page) : this.npt(gpa, access);
  }

  /** The guest's tables, its own check, its A and D, then its page. */
  translate(): bigint {
    const { guest, access, linear, host } = this;
    const { write, fetch } = access;
    if (guest.mode === 'none') return this.below(linear, { write, fetch, user: true }, 0x600);
    const user = access.user && !access.implicit;
    const reportsFetch = fetch && (guest.flags.smep || (guest.flags.nxe && guest.mode !== '32'));
    const fault = (cause: number): Stop =>
      new Stop(`page fault ${hex(cause | (write ? 2 : 0) | (user ? 4 : 0) | (reportsFetch ? 16 : 0))}`);
    const low = guest.mode === 'pae' ? 5 : 12;
    const root = (guest.cr3 >> BigInt(low)) << BigInt(low);
    const readEntry = (gpa: bigint): bigint =>
      this.below(gpa, { write: false, fetch: false, user: false, table: 'read' });
    const amd = host.kind === 'npt';
    const { entries, addresses, gpas, shift } = this.tables(guest, root, linear, readEntry, fault, amd);
    const refused = refusal(guest, entries, access);
    if (refused !== 0) throw fault(refused);
    const all = entries.reduce((sum, entry) => sum & entry, -1n);
    entries.forEach((entry, n) => {
      const bitsToSet = n === entries.length - 1 && write ? 0x60n : 0x20n;
      if ((entry & bitsToSet) === bitsToSet) return;
      // "Writes to guest paging structures to update accessed and dirty flags are data writes"; no walk is made for it.
      const { reads } = this;
      this.below(gpas[n], { write: true, fetch: false, user: false, table: 'update' });
      this.reads = reads;
      this.sets.push([addresses[n], bitsToSet]);
    });
    const noExecute = guest.mode !== '32' && entries.some((entry) => bit(entry, 63));
    const page = (bit(all, 2) ? 0x200 : 0) | (bit(all, 1) ? 0x400 : 0) | (noExecute ? 0x800 : 0);
    const gpa = this.pageOf(guest.mode, entries[entries.length - 1], shift, linear);
    return this.below(gpa, { write, fetch, user: bit(all, 2) }, page);
  }
}

/** Translates one linear address of a guest. `memory` gives 4 or 8 bytes at a physical address. */
export function nestedWalk(
  guest: ReferenceState,
  host: ReferenceHost,
  memory: (address: bigint, bytes: number) => bigint,
  linear: bigint,
  access: ReferenceAccess,
): NestedReference {
  const walk = new NestedWalk(guest, host, memory, linear, access);
  let result: bigint | string;
  try {
    result = walk.translate();
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop;
    result = stop.message;
  }
  return { result, sets: walk.sets, reads: walk.reads };
}
