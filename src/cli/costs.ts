import { MachinePrices } from '../report/results/prices.js';
import { checked, type Flaw } from '../report/output/schema-words.js';
import { toJSONSchema } from 'zod';
import { existsSync } from 'node:fs';
import { ownPricesPath } from '../host/calibrate/prices-path.js';
import { CommandFailure } from './failure.js';
import { readJson } from './json-file.js';
import { hostDifference, thisPricedHost } from './priced-host.js';

/** The file replaces the prices named in it; the others stay the preset's. */
const PriceFile = MachinePrices.omit({ file: true }).partial();

/** Fields without a price. */
const ABOUT = ['version', 'source', 'host', 'loads'];

interface JsonForm {
  readonly properties?: Readonly<Record<string, JsonForm>>;
  readonly additionalProperties?: JsonForm | false;
  readonly propertyNames?: { readonly enum: readonly string[] };
  readonly anyOf?: readonly JsonForm[];
}

/** The names that an object of the file may have, on this way from the top. */
function namesAt(way: Flaw['path']): readonly string[] {
  let form = toJSONSchema(PriceFile) as JsonForm;
  const ofObject = (): JsonForm => form.anyOf?.find(({ properties }) => properties !== undefined) ?? form;
  for (const step of way) {
    const { properties, additionalProperties } = ofObject();
    form = properties?.[String(step)] ?? (additionalProperties || {});
  }
  const { properties, propertyNames } = ofObject();
  return propertyNames?.enum ?? Object.keys(properties ?? {});
}

function explainFlaw(path: string, flaw: Flaw): string {
  const field = flaw.path.join('.');
  if (flaw.unknown !== undefined) {
    const place = field === '' ? '' : `${field}: `;
    return `${path}: ${place}no price is called '${flaw.unknown}'; there are ${namesAt(flaw.path).join(', ')}`;
  }
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
  if (prices.host !== undefined) return prices;
  const names = Object.keys(prices).filter((name) => !ABOUT.includes(name));
  const source = `${preset.source}; ${path}`;
  return { ...prices, source, ...(names.length > 0 && { file: { name: path, prices: names } }) };
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
