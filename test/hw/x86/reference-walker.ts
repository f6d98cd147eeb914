/**
 * x86 address translation a second time, in BigInt and in the order of the manual, for comparison with the machine.
 * Source: Intel SDM vol. 3A, chapter "Paging". It shares no code with hw/.
 */

export interface ReferenceState {
  readonly mode: 'none' | '32' | 'pae' | '4l' | '5l';
  readonly cr3: bigint;
  /** PAE: the four PDPTE registers. */
  readonly pdptes: readonly bigint[];
  /** MAXPHYADDR. */
  readonly m: number;
  readonly flags: Readonly<Record<'wp' | 'pse' | 'nxe' | 'smep' | 'smap' | 'pke' | 'pks' | 'ac', boolean>>;
  readonly pkru: number;
  readonly pkrs: number;
}

export interface ReferenceAccess {
  readonly write: boolean;
  readonly fetch: boolean;
  readonly user: boolean;
  readonly implicit: boolean;
}

type ReferenceResult =
  | { readonly kind: 'gp' }
  | { readonly kind: 'fault'; readonly errorCode: number }
  | { readonly kind: 'ok'; readonly physical: bigint; readonly page: bigint; readonly pageBytes: bigint };

export interface Reference {
  readonly result: ReferenceResult;
  /** Addresses of the entries read, root first, and what each holds after a successful access. */
  readonly path: readonly { readonly address: bigint; readonly after: bigint }[];
}

export const bit = (value: bigint, n: number): boolean => ((value >> BigInt(n)) & 1n) === 1n;
export const bits = (value: bigint, high: number, low: number): bigint =>
  (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
export const SHIFTS = { none: [], '32': [22, 12], pae: [21, 12], '4l': [39, 30, 21, 12], '5l': [48, 39, 30, 21, 12] };

/** Reserved bits of an entry that are not 0. `shift` is log2 of what the entry maps. */
export function reserved(
  state: Pick<ReferenceState, 'mode' | 'm' | 'flags'>,
  entry: bigint,
  shift: number,
  isPage: boolean,
): boolean {
  const { mode, m, flags } = state;
  if (mode === '32') {
    // "32-Bit Paging", PDE that maps a 4-MByte page: bits (M-20):13 are address bits, M at most 40; the rest to 21 is 0.
    return isPage && shift === 22 && bits(entry, 21, Math.min(m, 40) - 19) !== 0n;
  }
  if (m < 52 && bits(entry, 51, m) !== 0n) return true;
  if (mode === 'pae' && bits(entry, 62, 52) !== 0n) return true;
  if (bit(entry, 63) && !flags.nxe) return true;
  if (shift >= 39) return bit(entry, 7);
  return isPage && shift > 12 && bits(entry, shift - 1, 13) !== 0n;
}

/** "Determination of Access Rights" and "Protection Keys": the error code's P and PK bits, or 0 when allowed. */
export function refusal(state: ReferenceState, path: readonly bigint[], access: ReferenceAccess): number {
  const { flags } = state;
  const userPage = path.every((entry) => bit(entry, 2));
  const writable = path.every((entry) => bit(entry, 1));
  const noExecute = state.mode !== '32' && flags.nxe && path.some((entry) => bit(entry, 63));
  const user = access.user && !access.implicit;
  let refused = user && !userPage;
  if (access.fetch) refused ||= noExecute || (!user && userPage && flags.smep);
  else if (!user && userPage && flags.smap) refused ||= !flags.ac || access.implicit;
  if (access.write) refused ||= !writable && (user || flags.wp);
  const long = state.mode === '4l' || state.mode === '5l';
  const keyed = long && !access.fetch && (userPage ? flags.pke : flags.pks && !user);
  const rights = (userPage ? state.pkru : state.pkrs) >>> (2 * Number(bits(path[path.length - 1], 62, 59)));
  const denied = keyed && ((rights & 1) !== 0 || ((rights & 2) !== 0 && access.write && (user || flags.wp)));
  return denied ? 0x21 : refused ? 1 : 0;
}

/** Walks the tables for one access. `read` gives 4 or 8 bytes of memory as an unsigned number. */
export function referenceWalk(
  state: ReferenceState,
  read: (address: bigint, bytes: number) => bigint,
  linear: bigint,
  access: ReferenceAccess,
): Reference {
  const { mode, flags } = state;
  const top = { none: 32, '32': 32, pae: 32, '4l': 48, '5l': 57 }[mode];
  if (top > 32 && BigInt.asUintN(64, BigInt.asIntN(top, linear)) !== linear)
    return { result: { kind: 'gp' }, path: [] };
  if (mode === 'none') return { result: { kind: 'ok', physical: linear, page: 0n, pageBytes: 1n << 32n }, path: [] };
  const reportsFetch = access.fetch && (flags.smep || (flags.nxe && mode !== '32'));
  const user = access.user && !access.implicit;
  const code = (access.write ? 2 : 0) | (user ? 4 : 0) | (reportsFetch ? 16 : 0);
  const path: { address: bigint; after: bigint }[] = [];
  const fault = (cause: number): Reference => ({ result: { kind: 'fault', errorCode: code | cause }, path });
  const narrow = mode === '32';
  let table = bits(state.cr3, narrow ? 31 : state.m - 1, 12) << 12n;
  if (mode === 'pae') {
    const pdpte = state.pdptes[Number(bits(linear, 31, 30))];
    if (!bit(pdpte, 0)) return fault(0);
    table = bits(pdpte, state.m - 1, 12) << 12n;
  }
  for (const shift of SHIFTS[mode]) {
    const index = bits(linear, shift + (narrow ? 9 : 8), shift);
    const address = table + index * (narrow ? 4n : 8n);
    const entry = read(address, narrow ? 4 : 8);
    path.push({ address, after: entry });
    if (!bit(entry, 0)) return fault(0);
    const isPage = shift === 12 || (bit(entry, 7) && shift <= 30 && (!narrow || flags.pse));
    if (reserved(state, entry, shift, isPage)) return fault(9);
    if (!isPage) {
      table = bits(entry, narrow ? 31 : state.m - 1, 12) << 12n;
      continue;
    }
    const refused = refusal(
      state,
      path.map(({ after }) => after),
      access,
    );
    if (refused !== 0) return fault(refused);
    const low = bits(entry, narrow ? 31 : state.m - 1, shift) << BigInt(shift);
    const page = narrow && shift === 22 ? low | (bits(entry, 20, 13) << 32n) : low;
    const after = path.map((step) => ({ ...step, after: step.after | 0x20n }));
    if (access.write) after[after.length - 1].after |= 0x40n;
    const physical = page | bits(linear, shift - 1, 0);
    return { result: { kind: 'ok', physical, page, pageBytes: 1n << BigInt(shift) }, path: after };
  }
  throw new Error('the last level always maps a page');
}
