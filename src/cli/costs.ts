import { MachinePrices } from '../report/results/prices.js';
import { checked, type Flaw } from '../report/output/schema-words.js';
import { CommandFailure } from './failure.js';
import { readJson } from './json-file.js';
import { hostDifference, thisPricedHost } from './priced-host.js';

/** The file replaces the prices named in it; the others stay the preset's. */
const PriceFile = MachinePrices.partial();

function explainFlaw(path: string, flaw: Flaw): string {
  const known = Object.keys(PriceFile.shape).join(', ');
  if (flaw.unknown !== undefined) return `${path}: no price is called '${flaw.unknown}'; there are ${known}`;
  const field = flaw.path.join('.');
  if (field === '') return `${path}: expected an object of prices in nanoseconds, such as {"memoryNs": 90}`;
  if (field === 'version')
    return `${path}: version: ${flaw.problem}; this is a file of another pagewalk: calibrate anew`;
  return `${path}: ${field}: ${flaw.problem}; docs/time-model.md has the form`;
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
  const file = checked(PriceFile, readJson(path, '--costs'));
  if ('flaw' in file) throw new CommandFailure(explainFlaw(path, file.flaw));
  const prices = file.value as Partial<MachinePrices>;
  if (!force) checkHost(path, prices);
  return prices.host === undefined ? { ...prices, source: `${preset.source}; ${path}` } : prices;
}
