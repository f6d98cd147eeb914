import { MachinePrices } from '../report/results/prices.js';
import { checked, type Flaw } from '../report/output/schema-words.js';
import { PageName } from '../report/results/schema.js';
import { existsSync } from 'node:fs';
import { ownPricesPath } from '../host/calibrate/prices-path.js';
import { CommandFailure } from './failure.js';
import { readJson } from './json-file.js';
import { hostDifference, thisPricedHost } from './priced-host.js';

/** The file replaces the prices named in it; the others stay the preset's. */
const PriceFile = MachinePrices.omit({ file: true })
  .extend({
    firstTouch: MachinePrices.shape.firstTouch.refine((prices) => Object.keys(prices).length > 0, {
      error: `expected prices of at least one of ${PageName.options.join(', ')}, found {}`,
    }),
  })
  .partial();

/** Fields about the prices. */
const ABOUT = ['version', 'source', 'host'];

function explainFlaw(path: string, { path: way, unknown, problem }: Flaw): string {
  const field = way.join('.');
  if (field === '' && unknown !== true) {
    return `${path}: expected an object of prices in nanoseconds, such as {"memoryNs": 90}`;
  }
  const place = field === '' ? '' : `${field}: `;
  const fix =
    field === 'version' ? 'this is a file of another pagewalk: calibrate anew' : 'docs/time-model.md has the form';
  return `${path}: ${place}${problem}; ${fix}`;
}

/** The names of the prices in a file; a list without a measurement is none. @throws CommandFailure for no price at all */
function pricedIn(path: string, file: Partial<MachinePrices>): string[] {
  const isPrice = (name: string): boolean => !ABOUT.includes(name);
  const names = Object.entries(file).filter(
    ([name, price]) => isPrice(name) && !(Array.isArray(price) && !price.length),
  );
  if (names.length > 0) return names.map(([name]) => name);
  const known = Object.keys(PriceFile.shape).filter(isPrice).join(', ');
  throw new CommandFailure(`${path}: has no price; name one of ${known}, or take those of --costs preset`);
}

/** @throws CommandFailure when the prices are another machine's */
function checkHost(path: string, { host }: Partial<MachinePrices>): void {
  if (host === undefined) return;
  const difference = hostDifference(host, thisPricedHost());
  if (difference === undefined) return;
  const fix = "run 'pagewalk calibrate' here, or give --force to take them all the same";
  throw new CommandFailure(`${path}: prices of another machine: ${difference}; ${fix}`);
}

/**
 * The prices of a JSON file such as `{"memoryNs": 90}` or one by `pagewalk calibrate`, to replace those of a preset.
 * @param force take the prices of another machine too
 * @throws CommandFailure with file, field and fix
 */
export function readPrices(path: string, preset: MachinePrices, force: boolean): Partial<MachinePrices> {
  const file = checked(PriceFile, readJson(path, '--costs'), 'no price is called');
  if ('flaw' in file) throw new CommandFailure(explainFlaw(path, file.flaw));
  const prices = file.value as Partial<MachinePrices>;
  const priced = pricedIn(path, prices);
  if (!force) checkHost(path, prices);
  if (prices.host !== undefined) return prices;
  // Those of loads are measurements: walks are priced by them.
  const names = priced.filter((name) => name !== 'loads');
  return {
    ...prices,
    ...(prices.firstTouch && { firstTouch: { ...preset.firstTouch, ...prices.firstTouch } }),
    source: `${preset.source}; ${path}`,
    ...(names.length > 0 && { file: { name: path, prices: names } }),
  };
}

/** The prices of this host, as far as they can be taken without being named. */
export interface OwnPrices {
  readonly prices: Partial<MachinePrices>;
  /** Why those of the file in the cache are not used. */
  readonly note?: string;
}

/**
 * The prices that `pagewalk calibrate` wrote for this host, with the same TLB; none if it never did.
 * @param tlb the name of the TLB to be judged: what walks take was fitted with one
 */
export function ownPrices(tlb: string, preset: MachinePrices, force: boolean): OwnPrices {
  const path = ownPricesPath();
  if (!existsSync(path)) return { prices: {} };
  try {
    const prices = readPrices(path, preset, force);
    const fitted = prices.walkFactor?.tlb ?? tlb;
    if (fitted === tlb) return { prices };
    const fix = `--tlb ${fitted} takes its prices, and so does --costs '${path}' with any TLB`;
    return { prices: {}, note: `this host was calibrated with --tlb ${fitted}: ${fix}` };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { prices: {}, note: `the prices of this host are not used: ${error.message}` };
  }
}
