import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DEFAULT_COSTS, type CostTable } from '../../hw/translate/cost.js';
import { checkShape, type TlbShape } from '../../hw/tlb/shape.js';
import { checked, type Flaw } from '../report/schema-words.js';
import { CommandFailure, explainSystemError } from './failure.js';

/** So many model cycles for one event that sums over any trace stay finite. */
const MOST_CYCLES = 1_000_000_000;

const Cycles = z.number().min(0).max(MOST_CYCLES);

/** The file replaces what it names; the other costs stay the model's. */
const CostFile = z.strictObject({
  l1Hit: Cycles.optional(),
  l2Hit: Cycles.optional(),
  walk: Cycles.optional(),
  entryRead: Cycles.optional(),
  entryCacheHit: Cycles.optional(),
  entryCacheMiss: Cycles.optional(),
  /** Read entries through a cache of lines of 64 bytes, priced by entryCacheHit and entryCacheMiss. */
  entryCache: z.strictObject({ entries: z.int().positive(), ways: z.int().positive() }).optional(),
});

/** What translations cost, and the cache that walks read entries through, if one is modelled. */
export interface Pricing {
  readonly costs: CostTable;
  readonly entryCache: TlbShape | undefined;
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function explainFlaw(path: string, flaw: Flaw): string {
  const known = Object.keys(CostFile.shape).join(', ');
  if (flaw.unknown !== undefined) return `${path}: no cost is called '${flaw.unknown}'; there are ${known}`;
  const field = flaw.path.join('.');
  if (field === '') return `${path}: expected an object of costs in model cycles, such as {"l2Hit": 7}`;
  const give =
    flaw.path[0] === 'entryCache'
      ? 'whole numbers above 0, as in {"entryCache": {"entries": 512, "ways": 8}}'
      : `model cycles from 0 to ${MOST_CYCLES}`;
  return `${path}: ${field}: ${flaw.problem}; give ${give}`;
}

/** Flat costs: what counts when no file says otherwise. */
export const MODEL_PRICING: Pricing = { costs: DEFAULT_COSTS, entryCache: undefined };

/**
 * The pricing of a JSON file such as `{"l2Hit": 9, "entryRead": 30}`.
 * @throws CommandFailure that names file, field and fix
 */
export function readCosts(path: string): Pricing {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw explainSystemError(error, `read '${path}' (--costs)`);
  }
  const file = checked(CostFile, parseJson(path, text));
  if ('flaw' in file) throw new CommandFailure(explainFlaw(path, file.flaw));
  const { entryCache, ...costs } = file.value;
  if (entryCache !== undefined) checkEntryCache(path, entryCache);
  return { costs: { ...DEFAULT_COSTS, ...(costs as Partial<CostTable>) }, entryCache };
}

function checkEntryCache(path: string, shape: TlbShape): void {
  try {
    checkShape(shape, 'entryCache');
  } catch (error) {
    throw new CommandFailure(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
