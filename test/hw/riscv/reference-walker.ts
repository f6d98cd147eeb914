/**
 * RISC-V address translation a second time, in BigInt and in the order of the specification, for comparison with the
 * machine. Source: RISC-V privileged specification, "Virtual Address Translation Process", whose steps are named here,
 * "Two-Stage Address Translation", and the chapters "Svnapot", "Svpbmt" and "Svadu". It shares no code with hw/.
 */

/** One of satp, vsatp and hgatp, and what else says how its entries are read. */
export interface ReferenceStage {
  /** 2 for Sv32, 3 to 5 for Sv39 to Sv57; 0 for bare. */
  readonly levels: number;
  readonly root: bigint;
  /** Further bits of the root's index: 2 for the G-stage. */
  readonly rootBits: bigint;
  readonly adue: boolean;
  readonly pbmte: boolean;
}

export interface ReferenceState {
  readonly xlen: 32 | 64;
  readonly first: ReferenceStage;
  /** Undefined with V = 0. */
  readonly second: ReferenceStage | undefined;
  readonly svnapot: boolean;
  readonly user: boolean;
  /** mstatus.MXR. */
  readonly mxr: boolean;
  /** SUM and MXR of vsstatus where V = 1, else of mstatus. */
  readonly sum: boolean;
  readonly ownMxr: boolean;
}

export type Kind = 'load' | 'store' | 'fetch';

type ReferenceResult =
  | { readonly kind: 'ok'; readonly physical: bigint }
  | { readonly kind: 'fault'; readonly cause: number; readonly tval2: bigint; readonly tinst: number };

export interface Reference {
  readonly result: ReferenceResult;
  /** Entries that the hart stores, in order. */
  readonly stores: readonly { readonly address: bigint; readonly value: bigint }[];
}

/** Memory: `undefined` where no RAM answers. */
export type Read = (address: bigint, bytes: number) => bigint | undefined;

class Refused extends Error {
  constructor(
    readonly code: number,
    readonly tval2 = 0n,
    readonly tinst = 0,
  ) {
    super(`cause ${code}`);
  }
}

const bit = (value: bigint, n: number): boolean => ((value >> BigInt(n)) & 1n) === 1n;
const bits = (value: bigint, high: number, low: number): bigint =>
  (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
const ACCESS_FAULT = { fetch: 1, load: 5, store: 7 };
const PAGE_FAULT = { fetch: 12, load: 13, store: 15 };
const GUEST_PAGE_FAULT = { fetch: 20, load: 21, store: 23 };

/** Translates one access. `read` gives 4 or 8 bytes of memory as an unsigned number. */
export function referenceTranslate(state: ReferenceState, read: Read, va: bigint, kind: Kind): Reference {
  const { first, second, svnapot } = state;
  const stores: { address: bigint; value: bigint }[] = [];
  const load = (address: bigint, bytes: number): bigint => {
    const value = [...stores].reverse().find((store) => store.address === address)?.value ?? read(address, bytes);
    if (value === undefined) throw new Refused(ACCESS_FAULT[kind]);
    return value;
  };

  /** Steps 1 to 10. `place` gives the physical address of an entry; `allows` is steps 6 and 8. */
  function walk(
    stage: ReferenceStage,
    address: bigint,
    stored: boolean,
    place: (entry: bigint, store: boolean) => bigint,
    allows: (pte: bigint) => boolean,
    refuse: () => never,
  ): bigint {
    const [pteSize, vpnBits] = stage.levels === 2 ? [4, 10] : [8, 9];
    let a = stage.root;
    for (let i = stage.levels - 1; ; i--) {
      const low = 12 + vpnBits * i;
      const top = low + vpnBits - 1 + (i === stage.levels - 1 ? Number(stage.rootBits) : 0);
      const entry = a + bits(address, top, low) * BigInt(pteSize);
      const pte = load(place(entry, false), pteSize);
      const [v, r, w, x] = [0, 1, 2, 3].map((n) => bit(pte, n));
      if (!v || (!r && w)) refuse();
      const pbmt = pteSize === 8 ? bits(pte, 62, 61) : 0n;
      const n = pteSize === 8 && bit(pte, 63);
      if (pteSize === 8 && bits(pte, 60, 54) !== 0n) refuse();
      if ((pbmt !== 0n && !stage.pbmte) || pbmt === 3n || (n && !svnapot)) refuse();
      let ppn = pteSize === 8 ? bits(pte, 53, 10) : bits(pte, 31, 10);
      if (!r && !x) {
        // D, A, U, N and PBMT of an entry that points to a table are reserved.
        if (bit(pte, 7) || bit(pte, 6) || bit(pte, 4) || n || pbmt !== 0n || i === 0) refuse();
        a = ppn << 12n;
        continue;
      }
      if (i > 0 && (n || bits(ppn, vpnBits * i - 1, 0) !== 0n)) refuse();
      if (n && bits(ppn, 3, 0) !== 8n) refuse();
      if (!allows(pte)) refuse();
      if (!bit(pte, 6) || (stored && !bit(pte, 7))) {
        if (!stage.adue) refuse();
        stores.push({ address: place(entry, true), value: pte | (stored ? 0xc0n : 0x40n) });
      }
      const inPage = n ? 16 : low;
      if (n) ppn -= 8n;
      return (ppn << 12n) | bits(address, inPage - 1, 0);
    }
  }

  /** The G-stage: every access is user mode's. With `tinst` it is one to an entry of the first stage. */
  function host(gpa: bigint, as: Kind, tinst: number): bigint {
    if (second === undefined || second.levels === 0) return gpa;
    const refuse = (): never => {
      throw new Refused(GUEST_PAGE_FAULT[kind], gpa >> 2n, tinst);
    };
    const width = second.levels === 2 ? 34 : 14 + 9 * second.levels;
    if (gpa >> BigInt(width) !== 0n) refuse();
    const mxr = state.mxr && tinst === 0;
    const allows = (pte: bigint): boolean => bit(pte, 4) && permits(pte, as, mxr);
    return walk(second, gpa, as === 'store', (entry) => entry, allows, refuse);
  }

  function permits(pte: bigint, as: Kind, mxr: boolean): boolean {
    if (as === 'fetch') return bit(pte, 3);
    return as === 'store' ? bit(pte, 2) : bit(pte, 1) || (mxr && bit(pte, 3));
  }

  function translate(): bigint {
    if (first.levels === 0) return host(va, kind, 0);
    const refuse = (): never => {
      throw new Refused(PAGE_FAULT[kind]);
    };
    const width = first.levels === 2 ? 32 : 12 + 9 * first.levels;
    if (state.xlen === 64 && BigInt.asUintN(64, BigInt.asIntN(width, va)) !== va) refuse();
    const allows = (pte: bigint): boolean => {
      const reach = state.user ? bit(pte, 4) : !bit(pte, 4) || (state.sum && kind !== 'fetch');
      return reach && permits(pte, kind, state.mxr || state.ownMxr);
    };
    const pseudo = state.xlen === 32 ? 0x2000 : 0x3000;
    const place = (entry: bigint, store: boolean): bigint =>
      host(entry, store ? 'store' : 'load', store ? pseudo | 0x20 : pseudo);
    return host(walk(first, va, kind === 'store', place, allows, refuse), kind, 0);
  }

  try {
    const physical = translate();
    if (read(physical & ~7n, 8) === undefined) throw new Refused(ACCESS_FAULT[kind]);
    return { result: { kind: 'ok', physical }, stores };
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    const { code: cause, tval2, tinst } = refused;
    return { result: { kind: 'fault', cause, tval2, tinst }, stores };
  }
}
