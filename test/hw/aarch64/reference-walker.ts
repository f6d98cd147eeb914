/**
 * VMSAv8-64 translation a second time, in BigInt and in the order of the manual's pseudocode, for comparison with the
 * machine. Source: Arm ARM (DDI 0487), part J, AArch64.S1Translate, S1Walk, S1DirectBasePermissions, S2Translate, S2Walk,
 * S2InvalidSL, S2InconsistentSL, PhysicalAddressSize, TTBaseAddress, LeafBase. It shares no code with hw/.
 */

export interface ReferenceState {
  readonly features: Readonly<
    Record<'TGran16' | 'HAFDBS' | 'HPDS' | 'PAN' | 'E0PD' | 'PAuth' | 'LVA' | 'LPA2' | 'TTST' | 'XNX', boolean>
  > & {
    readonly paBits: number;
  };
  readonly tcr: bigint;
  readonly ttbr: readonly [bigint, bigint];
  readonly on: boolean;
  readonly wxn: boolean;
  readonly pan: boolean;
  /** Undefined without stage 2. */
  readonly second: { readonly vtcr: bigint; readonly vttbr: bigint } | undefined;
}

export type Kind = 'load' | 'store' | 'fetch';

type ReferenceResult =
  | { readonly kind: 'ok'; readonly physical: bigint }
  | {
      readonly kind: 'fault';
      readonly stage: 1 | 2;
      readonly fsc: number;
      readonly onWalk: boolean;
      readonly ipa: bigint;
    };

export interface Reference {
  readonly result: ReferenceResult;
  /** Descriptors that the PE stores, in order. */
  readonly stores: readonly { readonly address: bigint; readonly value: bigint }[];
}

/** The 8 bytes at an address; `undefined` where no RAM answers. */
export type Read = (address: bigint) => bigint | undefined;

class Refused extends Error {
  constructor(readonly fault: Omit<Extract<ReferenceResult, { kind: 'fault' }>, 'kind'>) {
    super('refused');
  }
}

/** What a stage's registers say of its walk. Levels are the manual's: 3 is the last. */
interface Walk {
  readonly stage: 1 | 2;
  readonly granuleBits: number;
  readonly inputBits: number;
  readonly startLevel: number;
  /** TCR_EL1.DS or VTCR_EL2.DS in effect: a granule of 4 or 16 KiB with addresses of 52 bits. */
  readonly ds: boolean;
  readonly root: bigint;
  readonly addressSize: bigint;
  readonly ha: boolean;
  readonly hd: boolean;
  /** Whether the entry of a page allows the access, `tables` being all table descriptors together. */
  readonly allows: (leaf: bigint, tables: bigint, writable: boolean) => boolean;
}

const ADDRESS_SIZE = 0;
const TRANSLATION = 4;
const ACCESS_FLAG = 8;
const PERMISSION = 12;
const EXTERNAL = 16;
const EXTERNAL_ON_WALK = 20;
const SIZES = [32, 36, 40, 42, 44, 48, 52];

const bits = (value: bigint, high: number, low: number): bigint =>
  (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
const bit = (value: bigint, n: number): boolean => bits(value, n, n) === 1n;
const align = (value: bigint, n: number): bigint => (value >> BigInt(n)) << BigInt(n);
/** EncodeLDFSC: the codes of level -1 are others. */
const code = (kind: number, level: number): number =>
  level >= 0 ? kind | level : kind === ADDRESS_SIZE ? 0b101001 : kind === TRANSLATION ? 0b101011 : 0b010011;

/** Translates one access, with EL0's rights or EL1's. */
export function referenceTranslate(state: ReferenceState, read: Read, va: bigint, kind: Kind, el0: boolean): Reference {
  const { features, tcr, second } = state;
  const lpa = features.paBits === 52;
  const stores: { address: bigint; value: bigint }[] = [];
  const load = (address: bigint): bigint | undefined =>
    [...stores].reverse().find((store) => store.address === address)?.value ?? read(address);
  const granule = (field: bigint, order: readonly number[]): number => {
    const size = order[Number(field)];
    return size === 14 && !features.TGran16 ? 12 : size;
  };
  const outputBits = (field: bigint, granuleBits: number, ds: boolean): bigint =>
    BigInt(Math.min(SIZES[Number(field)] ?? 52, features.paBits, ds || (granuleBits === 16 && lpa) ? 52 : 48));
  const maxTxsz = (granuleBits: number): number => (features.TTST ? (granuleBits === 16 ? 47 : 48) : 39);
  const baseOf = (ttbr: bigint, size: bigint, granuleBits: number, ds: boolean, tableBits: number): bigint =>
    ds || (lpa && granuleBits === 16 && size === 6n)
      ? align((bits(ttbr, 5, 2) << 48n) | bits(ttbr, 47, 0), Math.max(tableBits, 6))
      : align(bits(ttbr, 47, 0), tableBits);

  /** Walks one stage. `place` translates the address of a descriptor. */
  function walk(
    w: Walk,
    ia: bigint,
    write: boolean,
    place: (address: bigint, update: boolean) => bigint,
    refuse: (fsc: number) => never,
  ): bigint {
    const stride = w.granuleBits - 3;
    const tooLong = (address: bigint): boolean => address >> w.addressSize !== 0n;
    const wide = lpa && w.granuleBits === 16;
    const addressIn = (descriptor: bigint, low: number): bigint => {
      const base = align(bits(descriptor, 47, 0), low);
      if (w.ds) return base | (bits(descriptor, 9, 8) << 50n) | (bits(descriptor, 49, 48) << 48n);
      return wide ? base | (bits(descriptor, 15, 12) << 48n) : base;
    };
    let table = w.root;
    let tables = 0n;
    if (tooLong(table)) refuse(ADDRESS_SIZE);
    for (let level = w.startLevel; ; level++) {
      const low = w.granuleBits + stride * (3 - level);
      const top = level === w.startLevel ? w.inputBits - 1 : low + stride - 1;
      const entry = table | (bits(ia, top, low) << 3n);
      const descriptor = load(place(entry, false));
      if (descriptor === undefined) return refuse(code(EXTERNAL_ON_WALK, level));
      if (!bit(descriptor, 0)) refuse(code(TRANSLATION, level));
      if (bit(descriptor, 1) && level < 3) {
        table = addressIn(descriptor, w.granuleBits);
        tables |= descriptor;
        if (tooLong(table)) refuse(code(ADDRESS_SIZE, level));
        continue;
      }
      const blocks =
        { 12: w.ds ? [0, 1, 2] : [1, 2], 14: w.ds ? [1, 2] : [2], 16: lpa ? [1, 2] : [2] }[w.granuleBits] ?? [];
      if (level === 3 ? !bit(descriptor, 1) : !blocks.includes(level)) refuse(code(TRANSLATION, level));
      const physical = addressIn(descriptor, low) | bits(ia, low - 1, 0);
      if (tooLong(physical)) refuse(code(ADDRESS_SIZE, level));
      if (!bit(descriptor, 10) && !w.ha) refuse(ACCESS_FLAG | level);
      const dbm = w.ha && w.hd && bit(descriptor, 51);
      const clean = bit(descriptor, 7) === (w.stage === 1);
      if (!w.allows(descriptor, tables, dbm || !clean)) refuse(PERMISSION | level);
      const dirty = write && dbm && clean ? 1n << 7n : 0n;
      const updated = (descriptor | (1n << 10n)) ^ dirty;
      if (updated !== descriptor) stores.push({ address: place(entry, true), value: updated });
      return physical;
    }
  }

  function secondStage(ipa: bigint, as: Kind, onWalk: boolean): bigint {
    if (second === undefined) return ipa;
    const { vtcr, vttbr } = second;
    const refuse = (fsc: number): never => {
      throw new Refused({ stage: 2, fsc, onWalk, ipa });
    };
    const granuleBits = granule(bits(vtcr, 15, 14), [12, 16, 14, 12]);
    const ds = features.LPA2 && granuleBits !== 16 && bit(vtcr, 32);
    const [txsz, sl0, ps] = [Number(bits(vtcr, 5, 0)), Number(bits(vtcr, 7, 6)), bits(vtcr, 18, 16)];
    const inputBits = 64 - txsz;
    const most = Math.min(ds || granuleBits === 16 ? 52 : 48, features.paBits);
    if (inputBits > most || txsz > maxTxsz(granuleBits)) refuse(TRANSLATION);
    const sl2 = ds && granuleBits === 12 && bit(vtcr, 33);
    if (sl2 && (sl0 !== 0 || features.paBits < 52)) refuse(TRANSLATION);
    const startLevel = sl2 ? -1 : granuleBits === 12 ? [2, 1, 0, 3][sl0] : [3, 2, 1, 0][sl0];
    if (granuleBits === 12 && ((sl0 === 2 && features.paBits < 44) || (sl0 === 3 && !features.TTST)))
      refuse(TRANSLATION);
    const has0 = granuleBits === 14 && ds && features.paBits === 52;
    if (granuleBits !== 12 && ((sl0 === 3 && !has0) || (sl0 === 2 && features.paBits < (granuleBits === 14 ? 42 : 44))))
      refuse(TRANSLATION);
    const least = (3 - startLevel) * (granuleBits - 3) + granuleBits + 1;
    if (inputBits < least || inputBits > least + granuleBits - 4 + 4) refuse(TRANSLATION);
    if (ipa >> BigInt(inputBits) !== 0n) refuse(TRANSLATION);
    const root = baseOf(vttbr, ps, granuleBits, ds, inputBits - least + 4);
    const ha = features.HAFDBS && bit(vtcr, 21);
    const hd = features.HAFDBS && bit(vtcr, 22);
    const allows = (leaf: bigint, _: bigint, writable: boolean): boolean => {
      const xn = bits(leaf, 54, 53) & (features.XNX ? 3n : 2n);
      if (as === 'fetch') return xn === 0n || xn === (el0 ? 1n : 3n);
      return as === 'load' ? bit(leaf, 6) : writable && (!onWalk || bit(leaf, 6));
    };
    const w: Walk = {
      stage: 2,
      granuleBits,
      inputBits,
      startLevel,
      ds,
      root,
      addressSize: outputBits(ps, granuleBits, ds),
      ha,
      hd,
      allows,
    };
    return walk(w, ipa, as === 'store', (address) => address, refuse);
  }

  function firstStage(): bigint {
    const refuse = (fsc: number): never => {
      throw new Refused({ stage: 1, fsc, onWalk: false, ipa: 0n });
    };
    const upper = bit(va, 55) ? 1 : 0;
    const has = (n: number, feature = true): boolean => feature && bit(tcr, n + upper);
    const ignoresTop = has(37) && !(kind === 'fetch' && has(51, features.PAuth));
    const top = ignoresTop ? 55 : 63;
    if (!state.on)
      return bits(va, top, features.paBits) === 0n ? bits(va, features.paBits - 1, 0) : refuse(ADDRESS_SIZE);
    const granuleBits = upper
      ? granule(bits(tcr, 31, 30), [12, 14, 12, 16])
      : granule(bits(tcr, 15, 14), [12, 16, 14, 12]);
    const txsz = Number(upper ? bits(tcr, 21, 16) : bits(tcr, 5, 0));
    const inputBits = 64 - txsz;
    const ds = features.LPA2 && granuleBits !== 16 && bit(tcr, 59);
    if (txsz < (ds || (features.LVA && granuleBits === 16) ? 12 : 16) || txsz > maxTxsz(granuleBits))
      refuse(TRANSLATION);
    const above = bits(va, top, inputBits);
    if (above !== (upper ? (1n << BigInt(top - inputBits + 1)) - 1n : 0n)) refuse(TRANSLATION);
    if (el0 && has(55, features.E0PD)) refuse(TRANSLATION);
    if (bit(tcr, upper ? 23 : 7)) refuse(TRANSLATION);
    const startLevel = 3 - Math.floor((inputBits - 1 - granuleBits) / (granuleBits - 3));
    const ips = bits(tcr, 34, 32);
    const rootBits = inputBits - granuleBits - (3 - startLevel) * (granuleBits - 3);
    const root = baseOf(state.ttbr[upper], ips, granuleBits, ds, rootBits + 3);
    const hpd = has(41, features.HPDS);
    const allows = (leaf: bigint, tables: bigint, isWritable: boolean): boolean => {
      const below = hpd ? 0n : tables;
      const pw = isWritable && !bit(below, 62);
      const ur = bit(leaf, 6) && !bit(below, 61);
      const uw = ur && pw;
      const ux = !bit(leaf, 54) && !bit(below, 60);
      const px = !bit(leaf, 53) && !bit(below, 59) && !uw;
      const pan = features.PAN && state.pan && ur;
      if (kind === 'fetch') return el0 ? ux && !(state.wxn && uw) : px && !(state.wxn && pw);
      if (el0) return kind === 'load' ? ur : uw;
      return !pan && (kind === 'load' || pw);
    };
    const ha = features.HAFDBS && bit(tcr, 39);
    const hd = features.HAFDBS && bit(tcr, 40);
    const w: Walk = {
      stage: 1,
      granuleBits,
      inputBits,
      startLevel,
      ds,
      root,
      addressSize: outputBits(ips, granuleBits, ds),
      ha,
      hd,
      allows,
    };
    return walk(
      w,
      va,
      kind === 'store',
      (address, update) => secondStage(address, update ? 'store' : 'load', true),
      refuse,
    );
  }

  try {
    const physical = secondStage(firstStage(), kind, false);
    if (read(align(physical, 3)) === undefined) throw new Refused({ stage: 1, fsc: EXTERNAL, onWalk: false, ipa: 0n });
    return { result: { kind: 'ok', physical }, stores };
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return { result: { kind: 'fault', ...refused.fault }, stores };
  }
}
