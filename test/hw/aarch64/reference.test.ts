import { describe } from 'vitest';
import type { AArch64CpuName } from '../../../hw/aarch64/features.js';
import type { Pe } from '../../../hw/aarch64/pe.js';
import { fromBigInt } from '../../../hw/base/address.js';
import { Ram } from '../../../hw/memory/ram.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { NO_TLB } from '../../../hw/tlb/presets.js';
import { agreesWithReference } from '../against-reference.js';
import type { Trial, TrialOptions } from '../against-reference.js';
import { RandomPe, TABLE_BYTES } from './random-tables.js';
import type { GranuleBits } from './random-tables.js';
import { referenceTranslate } from './reference-walker.js';
import type { Kind, Reference, ReferenceState } from './reference-walker.js';

const ram = new Ram({ bytes: 1 << 26 });
const GRANULES: readonly GranuleBits[] = [12, 14, 16];
const KIB = { 12: '4 KiB', 14: '16 KiB', 16: '64 KiB' };

type PeAccess = ReturnType<RandomPe['access']>;

interface Case {
  readonly name: string;
  readonly cpu: AArch64CpuName;
  readonly granule: GranuleBits | undefined;
  readonly upper?: GranuleBits;
  readonly second?: GranuleBits;
  readonly ds?: true;
}

const CASES: readonly Case[] = [
  { name: 'max, stage 1 off', cpu: 'max', granule: undefined },
  ...(['max', 'neoverse-n1', 'cortex-a72'] as const).flatMap((cpu) =>
    GRANULES.map((granule) => ({ name: `${cpu}, ${KIB[granule]}`, cpu, granule })),
  ),
  ...GRANULES.flatMap((second) =>
    [undefined, ...GRANULES].map((granule) => ({
      name: `max, ${granule === undefined ? 'stage 1 off' : KIB[granule]} over ${KIB[second]}`,
      cpu: 'max' as const,
      granule,
      second,
    })),
  ),
  ...([12, 14] as const).flatMap((granule) => [
    { name: `max, ${KIB[granule]} with DS`, cpu: 'max' as const, granule, ds: true as const },
    {
      name: `max, ${KIB[granule]} over the same with DS`,
      cpu: 'max' as const,
      granule,
      second: granule,
      ds: true as const,
    },
  ]),
  { name: 'max, 4 KiB below and 64 KiB above', cpu: 'max', granule: 12, upper: 16 },
  { name: 'max, 64 KiB below and 16 KiB above, over 4 KiB', cpu: 'max', granule: 16, upper: 14, second: 12 },
  { name: 'neoverse-n1, 4 KiB, DS without LPA2', cpu: 'neoverse-n1', granule: 12, second: 12, ds: true },
  { name: 'cortex-a72, 4 KiB over 4 KiB', cpu: 'cortex-a72', granule: 12, second: 12 },
  { name: 'neoverse-n1, 16 KiB over 4 KiB', cpu: 'neoverse-n1', granule: 14, second: 12 },
];

function read(address: bigint): bigint | undefined {
  const { hi, lo } = fromBigInt(address);
  return ram.has(hi, lo, 8) ? ram.read64(address) : undefined;
}

function abortText(pe: Pe): string {
  const { el, esr, far, hpfar } = pe.abort();
  const onWalk = (esr & 0x80) !== 0 ? ' on a walk' : '';
  return `stage ${el} fault ${esr & 0x3f}${onWalk} at ${far.toString(16)}, ipa ${(hpfar << 8n).toString(16)}`;
}

/** FAR of a fetch has no tag: the branch to it takes that off. */
function farOf({ tcr, features }: ReferenceState, va: bigint, kind: Kind): bigint {
  const upper = (va >> 55n) & 1n;
  const has = (n: bigint): boolean => ((tcr >> (n + upper)) & 1n) === 1n;
  return kind === 'fetch' && has(37n) && !(features.PAuth && has(51n)) ? BigInt.asUintN(64, BigInt.asIntN(56, va)) : va;
}

function expectedText({ result }: Reference, far: bigint): string {
  if (result.kind === 'ok') return `frame ${result.physical >> 12n}`;
  const { stage, fsc, onWalk, ipa } = result;
  const at = stage === 2 ? (ipa >> 12n) << 12n : 0n;
  return `stage ${stage} fault ${fsc}${onWalk ? ' on a walk' : ''} at ${far.toString(16)}, ipa ${at.toString(16)}`;
}

/** A random PE under random registers, and the reference for it. */
function trial(options: RandomPe['options'], seed: number, { tlb, path }: TrialOptions): Trial<PeAccess> {
  const random = new RandomPe(ram, options, seed);
  const { pe, state } = random.boot(tlb, path);
  return {
    machine: pe,
    random,
    width: 64,
    ask: (va, { kind, user }) => {
      const expected = referenceTranslate(state, read, va, kind, user);
      return {
        text: expectedText(expected, farOf(state, va, kind)),
        store: (tables) => {
          for (const { address, value } of expected.stores) {
            const { hi, lo } = fromBigInt(value);
            const index = Number(address / 4n);
            if (index < tables.length) [tables[index], tables[index + 1]] = [lo, hi];
          }
        },
      };
    },
    faultText: () => abortText(pe),
  };
}

describe.each(CASES)('translation on $name', (options) => {
  agreesWithReference(
    ram,
    TABLE_BYTES / 4,
    (seed, { chaos = false, ...how }) => trial(chaos ? { ...options, chaos } : options, seed, how),
    { sample: 5, tinyTlb: parseTlb('4x2+8x2'), chaosTlb: NO_TLB },
  );
});
