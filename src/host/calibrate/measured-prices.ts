/** From the figures of `pagewalk calibrate` to the prices of this machine. docs/try-and-calibrate.md has the reasons. */

import type { CalibrateFigure } from '../../report/results/calibrate-result.js';
import type { MachinePrices, PricedCache } from '../../report/results/prices.js';
import type { CacheSizes } from './caches.js';
import { curve, type FigureName, type FigurePages, type Point } from './figures.js';
import { fitLatencies, type LatencyFit } from './latency-fit.js';
import { median } from '../ratio.js';

/** The measured prices; the rest of a machine's prices stays a preset's. */
export type MeasuredPrices = Required<
  Pick<
    MachinePrices,
    | 'nsPerInstruction'
    | 'nsPerCycle'
    | 'caches'
    | 'memoryNs'
    | 'missesInFlight'
    | 'walksInFlight'
    | 'l2TlbHitNs'
    | 'nested'
    | 'firstTouch'
    | 'forkNsPerEntry'
    | 'loads'
    | 'streams'
  >
>;

/** Why figures give no prices, in words for people. */
export class CalibrateError extends Error {
  override readonly name = 'CalibrateError';
}

const BYTES = { '4K': 2 ** 12, '2M': 2 ** 21 } as const;
const LINE_BYTES = 64;
/** Nanoseconds below which a second-level TLB hit is not told from a first-level one. */
const LEAST_HIT = 0.2;
/** Of an array larger than a cache by this factor, memory answers most. */
const FAR = 4;
/** So much of a cache is as good as all of it. */
const NEARLY_ALL = 0.9;
/** The most events in flight for a price. */
const MOST_IN_FLIGHT = 1024;
const DIGITS = 4;

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

/** Looks figures up. */
class Book {
  constructor(private readonly figures: readonly CalibrateFigure[]) {}

  curve(name: FigureName, pages: FigurePages): Point[] {
    return curve(this.figures, name, pages);
  }

  /** The figure of the smallest array of at least `bytes`. */
  at(name: FigureName, pages: FigurePages = '4K', bytes = 0): number {
    const found = this.curve(name, pages).find((point) => point.bytes >= bytes);
    if (found === undefined)
      throw new CalibrateError(`the measuring program told nothing of '${name}' with ${pages} pages`);
    return found.ns;
  }

  last(name: FigureName, pages: FigurePages): number {
    return this.curve(name, pages).at(-1)?.ns ?? this.at(name, pages);
  }
}

function inFlight(events: number): number {
  return rounded(Math.min(MOST_IN_FLIGHT, Math.max(1, events)));
}

/**
 * @param figures of one run of the measuring program
 * @param caches sizes as the system knows them
 * @param virtual true in a virtual machine
 * @throws CalibrateError when the arrays were too small to tell memory from caches
 */
export function pricesOf(figures: readonly CalibrateFigure[], caches: CacheSizes, virtual: boolean): MeasuredPrices {
  const book = new Book(figures);
  const l1Ns = book.at('dependent', '2M');
  // An array of twice the first level finds nothing there: its lines come around in turn.
  const l2Ns = book.at('dependent', '2M', 2 * caches.l1.bytes);
  // Lines one to a page: the data are in the first level, the translations only in the second.
  const hit = (pages: FigurePages): number => Math.max(0, book.at('sparse-dependent', pages) - l1Ns);
  const l2TlbHitNs = hit('4K');
  const inPieces = l2TlbHitNs > LEAST_HIT && hit('2M') > l2TlbHitNs / 2;
  const beyond = beyondL2(book, caches, inPieces ? hit('2M') : 0, inPieces ? l2Ns : undefined);
  const { memoryNs, l3: found } = memoryOf(beyond, caches);
  const l3 = found === null ? null : { ...found, ...shareOf(book, found, memoryNs, inPieces ? l2TlbHitNs : 0) };
  const walkNs = book.last('sparse-dependent', '4K') - l2Ns;
  return {
    nsPerInstruction: rounded(book.at('instruction')),
    nsPerCycle: rounded(book.at('cycle')),
    caches: {
      l1: { ...caches.l1, ns: rounded(l1Ns) },
      l2: { ...caches.l2, ns: rounded(l2Ns) },
      l3,
    },
    memoryNs,
    missesInFlight: inFlight(missesAtOnce(book, l3?.bytes ?? caches.l2.bytes)),
    walksInFlight: inFlight(walkNs / book.last('sparse-independent', '4K')),
    l2TlbHitNs: rounded(l2TlbHitNs),
    nested: inPieces ? '4K' : virtual ? '2M' : 'none',
    firstTouch: { '4K': firstTouch(book, '4K'), '2M': firstTouch(book, '2M') },
    forkNsPerEntry: rounded(book.at('fork')),
    loads: loadsOf(book),
    streams: streamsOf(book),
  };
}

/**
 * Latencies with huge pages of arrays beyond the second level; the addition by translation is taken off.
 * @param hitNs the addition of a second-level TLB hit to each; 0 if huge pages spare it
 * @param l2Ns of a load from the second level, for huge pages with walks too
 */
function beyondL2(book: Book, { l2 }: CacheSizes, hitNs: number, l2Ns: number | undefined): Point[] {
  const sparse = book.curve('sparse-dependent', '2M').at(-1);
  return book
    .curve('dependent', '2M')
    .filter(({ bytes }) => bytes >= 2 * l2.bytes)
    .map(({ bytes, ns }) => {
      const walks = l2Ns !== undefined && sparse !== undefined && bytes >= sparse.bytes;
      return { bytes, ns: Math.max(1e-3, ns - (walks ? sparse.ns - l2Ns : hitNs)) };
    });
}

type Memory = Pick<MachinePrices, 'memoryNs'> & { readonly l3: MachinePrices['caches']['l3'] };

function memoryOf(points: readonly Point[], { l2, l3 }: CacheSizes): Memory {
  const least = 2 * l2.bytes;
  if (l3 === null || l3.bytes < least) {
    const far = points.filter(({ bytes }) => bytes >= FAR * l2.bytes);
    if (far.length === 0) throw tooSmall(l2.bytes);
    return { memoryNs: rounded(median(far.map(({ ns }) => ns))), l3: null };
  }
  const fit = points.length < 4 ? undefined : fitLatencies(points, least, l3.bytes);
  if (fit === undefined) throw tooSmall(l3.bytes);
  const bytes = inSets(fit.cacheBytes, l3.ways);
  return { memoryNs: rounded(memoryNs(points, fit)), l3: { bytes, ways: l3.ways, ns: rounded(fit.cacheNs) } };
}

/** The latency of large arrays, less the small share from the cache. The fit itself would follow noise further away. */
function memoryNs(points: readonly Point[], { cacheBytes, cacheNs, memoryNs: fitted }: LatencyFit): number {
  const far = points.filter(({ bytes }) => bytes >= FAR * cacheBytes);
  const values = far.map(({ bytes, ns }) => (ns - (cacheBytes / bytes) * cacheNs) / (1 - cacheBytes / bytes));
  return values.length === 0 ? fitted : median(values);
}

/**
 * How much of the third level a chase in laps finds again: less than random loads find, if the cache drops lines that come
 * again late. Nothing where it is as much.
 */
function shareOf(
  book: Book,
  { bytes, ways, ns }: PricedCache,
  memoryNs: number,
  hitNs: number,
): { shareBytes?: number } {
  const kept = book.curve('lap', '2M').map((lap) => {
    const share = (memoryNs - (lap.ns - hitNs)) / (memoryNs - ns);
    return lap.bytes * Math.min(1, Math.max(0, share));
  });
  const most = Math.max(...kept);
  if (kept.length === 0 || most >= NEARLY_ALL * bytes) return {};
  return { shareBytes: inSets(most, ways) };
}

/** The nearest size of a cache with so many ways. */
function inSets(bytes: number, ways: number): number {
  const set = ways * LINE_BYTES;
  return Math.max(set, Math.round(bytes / set) * set);
}

function tooSmall(cacheBytes: number): CalibrateError {
  const size = `${2 ** Math.ceil(Math.log2((FAR * cacheBytes) / 2 ** 20))}M`;
  return new CalibrateError(
    `the arrays were too small to tell memory from the last cache; give --size ${size} or more`,
  );
}

/** Loads under way at once where most of them go to memory: in the largest array, if none is far larger than the cache. */
function missesAtOnce(book: Book, cacheBytes: number): number {
  const independent = book.curve('independent', '2M');
  const dependent = book.curve('dependent', '2M');
  const far = dependent.filter(({ bytes }) => bytes >= FAR * cacheBytes);
  const together = (far.length > 0 ? far : dependent.slice(-1)).map(
    ({ bytes, ns }) => ns / (independent.find((point) => point.bytes === bytes)?.ns ?? ns),
  );
  return median(together);
}

/** A read finds the page of zeros: a fault and nothing to clear. A write clears a page besides. */
function firstTouch(book: Book, pages: FigurePages): { faultNs: number; zeroNsPerByte: number } {
  const faultNs = Math.min(book.at('look', pages), book.at('touch', pages));
  return { faultNs: rounded(faultNs), zeroNsPerByte: rounded((book.at('touch', pages) - faultNs) / BYTES[pages]) };
}

function streamsOf(book: Book): MeasuredPrices['streams'] {
  const kinds = [
    ['stream', { streams: 1 }],
    ['three-streams', { streams: 3 }],
    ['streams-in-step', { streams: 3, inStep: true }],
  ] as const;
  return kinds.flatMap(([name, kind]) =>
    (['4K', '2M'] as const).flatMap((pages) =>
      book.curve(name, pages).map(({ bytes, ns }) => ({ bytes, pages, ...kind, pageNs: rounded(ns) })),
    ),
  );
}

function loadsOf(book: Book): MeasuredPrices['loads'] {
  return (['4K', '2M'] as const).flatMap((pages) => {
    const independent = book.curve('independent', pages);
    return book.curve('dependent', pages).flatMap(({ bytes, ns }) => {
      const other = independent.find((point) => point.bytes === bytes);
      if (other === undefined) return [];
      return [{ bytes, pages, dependentNs: rounded(ns), independentNs: rounded(other.ns) }];
    });
  });
}
