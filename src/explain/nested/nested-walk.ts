/**
 * An access of a guest explained: the two-dimensional walk, read by read. A row is the way to one entry of the guest's
 * tables, through the host's; the last row is the way to the page.
 */

import { formatHex, PAGE_OFFSET_MASK } from '../../../hw/base/address.js';
import type { PagingLevel, PagingMode } from '../../../hw/base/format.js';
import type { ReadEvent, SetEvent, TranslationEvent } from '../../../hw/translate/walk/events.js';
import { describeException } from '../../../hw/x86/describe-exception.js';
import { X86_MODES } from '../../../hw/x86/format.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { vmExitOf } from '../../../hw/x86/nested/exits.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { mappedOutcome } from '../common-steps.js';
import type { Hex } from '../entry-level.js';
import type { WalkRequest } from '../walk/walk.js';
import { indexAt } from '../walk/walk-levels.js';
import type { MappedOutcome, WalkStep } from '../walk/walk-result.js';
import { stepOf } from '../walk/walk-steps.js';
import { accessBits } from '../state-form.js';

/** One entry read, of the host's tables or of the guest's. */
export interface NestedRead {
  /** Counted from 1. */
  readonly number: number;
  /** `PML4`, `EPT PT` and so on. */
  readonly table: string;
  readonly level: number;
  /** Physical address; null for a PDPTE in a register. */
  readonly entryAddress: Hex | null;
  readonly raw: Hex;
}

/** A row: how one guest-physical address became a physical one, and the entry of the guest found there. */
export interface NestedRow {
  /** The entry of the guest's tables, such as `PML4[0]`; `page` in the last row. */
  readonly what: string;
  /** The entry's, or the page's address for the guest; null for a table known by a walk cache or a register. */
  readonly guestPhysical: Hex | null;
  /** Reads of the host's tables; none where a cache answered. */
  readonly host: readonly NestedRead[];
  /** The read of the guest's entry; absent in the last row, and where the host refused. */
  readonly entry?: NestedRead;
}

/** The reads of a row in their order. */
export function readsIn({ host, entry }: NestedRow): readonly NestedRead[] {
  return entry === undefined ? host : [...host, entry];
}

/** The result of {@link explainNestedWalk}. */
export interface NestedWalkResult {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly command: 'walk';
  readonly address: Hex;
  readonly access: WalkRequest['access'];
  readonly user: boolean;
  readonly guest: string;
  readonly host: string;
  /** The host's tables, root first. */
  readonly hostTables: readonly string[];
  /** What answered before any entry was read: a TLB's name; null for none. */
  readonly tlb: string | null;
  readonly reads: number;
  readonly rows: readonly NestedRow[];
  readonly outcome:
    | MappedOutcome
    /** `exit` is its name for one to the hypervisor, null for the guest's own exception. */
    | { readonly kind: 'fault'; readonly exit: string | null; readonly text: string };
  /** Accessed and dirty bits set, by physical address of the entry. */
  readonly changes: readonly { readonly entryAddress: Hex; readonly bit: 'A' | 'D'; readonly stage: 1 | 2 }[];
}

/**
 * Makes the access on `mmu`, in a guest, and explains it.
 * @throws RangeError if no guest runs
 */
export function explainNestedWalk(mmu: Mmu, request: WalkRequest): NestedWalkResult {
  return explainNestedSteps(mmu, request).result;
}

/** The same, and each step of the processor. */
export function explainNestedSteps(mmu: Mmu, request: WalkRequest): { result: NestedWalkResult; steps: WalkStep[] } {
  const { hi, lo, access, user } = request;
  const host = mmu.vm.hostMode;
  if (host === null) throw new RangeError('no guest runs on this processor: explain it by explainWalk');
  const events: TranslationEvent[] = [];
  const stop = mmu.listen((event) => events.push(event));
  const status = mmu.translate(hi, lo, accessBits(access, user));
  stop();
  const guest: PagingMode = X86_MODES[mmu.rules.mode];
  const hit = events.find((event) => event.kind === 'hit');
  const walked = events.find((event) => event.kind === 'walked');
  const reads = events.filter((event) => event.kind === 'read');
  const result: NestedWalkResult = {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    address: formatHex(hi, lo),
    access,
    user,
    guest: guest.title,
    host: host.name.startsWith('ept') ? host.title : `nested ${host.title}`,
    hostTables: host.levels.map(({ table }) => table),
    tlb: reads.length === 0 ? (hit?.where ?? null) : null,
    reads: reads.filter(({ address }) => address !== null).length,
    rows: rowsOf(mmu, request, reads, guest, host, status),
    outcome:
      status >= 0
        ? mappedOutcome(status, lo, (walked ?? hit)?.shift)
        : { kind: 'fault', exit: vmExitOf(mmu.fault)?.reason ?? null, text: describeException(mmu.fault.take()) },
    changes: changesOf(events, reads),
  };
  return { result, steps: events.map((event) => stepOf(mmu, request, event)) };
}

function changesOf(events: readonly TranslationEvent[], reads: readonly ReadEvent[]): NestedWalkResult['changes'] {
  const sets = events.filter((event): event is SetEvent => event.kind === 'set');
  return sets.map(({ address, bit }) => ({
    entryAddress: `0x${address.toString(16)}`,
    bit: bit === 'accessed' ? 'A' : 'D',
    stage: reads.find((read) => read.address === address)?.stage === 2 ? 2 : 1,
  }));
}

/** Cuts the reads into rows: each ends with an entry of the guest, the last one with the page or a refusal. */
function rowsOf(
  mmu: Mmu,
  request: WalkRequest,
  reads: readonly ReadEvent[],
  guest: PagingMode,
  host: PagingMode,
  status: number,
): NestedRow[] {
  const rows: NestedRow[] = [];
  let hosts: NestedRead[] = [];
  let number = 0;
  let last: ReadEvent | null = null;
  for (const read of reads) {
    const told = toldRead(read.address === null ? 0 : ++number, read, read.stage === 1 ? guest : host);
    if (read.stage === 2) {
      hosts.push(told);
      continue;
    }
    const index = indexAt(mmu, read.level, request.hi, request.lo);
    const table = last === null ? rootOf(mmu, hosts) : tableOf(last);
    const guestPhysical = read.address === null || table === null ? null : table + index * guest.entryBytes;
    const address = guestPhysical === null ? null : `0x${guestPhysical.toString(16)}`;
    rows.push({ what: `${told.table}[${index}]`, guestPhysical: address, host: hosts, entry: told });
    hosts = [];
    last = read;
  }
  const exit = vmExitOf(mmu.fault);
  if (status < 0 && exit === undefined) return rows;
  if (status >= 0) {
    const page = last === null ? formatHex(0, request.lo) : pageOf(mmu, last, request, guest);
    return reads.length === 0 ? rows : [...rows, { what: 'page', guestPhysical: page, host: hosts }];
  }
  const { guestHi, guestLo } = mmu.fault;
  return [...rows, { what: 'refused', guestPhysical: formatHex(guestHi, guestLo), host: hosts }];
}

function toldRead(number: number, { address, high, low, level }: ReadEvent, mode: PagingMode): NestedRead {
  const table = mode.levels.find((candidate: PagingLevel) => candidate.level === level)?.table ?? `level ${level}`;
  const entryAddress = address === null ? null : `0x${address.toString(16)}`;
  return { number, table, level, entryAddress, raw: formatHex(high, low) };
}

/** The guest-physical address of the root; null when a walk cache led past it. */
function rootOf(mmu: Mmu, hosts: readonly NestedRead[]): number | null {
  if (hosts.length === 0) return null;
  const low = mmu.rules.mode === 'pae' ? ~0x1f : ~PAGE_OFFSET_MASK;
  return mmu.cr3Hi * 2 ** 32 + ((mmu.cr3Lo & low) >>> 0);
}

/** The address in an entry for a table. */
function tableOf({ high, low }: ReadEvent): number {
  return (high & 0xf_ffff) * 2 ** 32 + ((low & ~PAGE_OFFSET_MASK) >>> 0);
}

/** The guest-physical address of the byte in an entry's page. */
function pageOf(mmu: Mmu, { high, low, level }: ReadEvent, { lo }: WalkRequest, guest: PagingMode): Hex {
  const shift = guest.levels.find((candidate: PagingLevel) => candidate.level === level)?.shift ?? 12;
  const inPage = 2 ** shift - 1;
  const above = mmu.rules.mode === '32' && shift > 12 ? (low >>> 13) & 0xff : high & 0xf_ffff;
  return formatHex(above, (low & ~inPage) | (lo & inPage));
}
