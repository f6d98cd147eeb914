import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DEFAULT_COSTS, type CostTable } from '../../hw/cost.js';
import { checkShape, type TlbShape } from '../../hw/tlb/shape.js';
import { CommandFailure, explainSystemError } from './failure.js';

const Cycles = z.number().nonnegative();

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

function explainIssue(path: string, issue: z.core.$ZodIssue): string {
  const known = Object.keys(CostFile.shape).join(', ');
  if (issue.code === 'unrecognized_keys')
    return `${path}: no cost is called '${issue.keys.join("', '")}'; there are ${known}`;
  const field = issue.path.join('.');
  if (field === '') return `${path}: expected an object of costs in model cycles, such as {"l2Hit": 7}`;
  const expected =
    issue.path[0] === 'entryCache'
      ? 'whole numbers above 0, as in {"entryCache": {"entries": 512, "ways": 8}}'
      : 'model cycles from 0 up';
  return `${path}: ${field}: expected ${expected} (${issue.message})`;
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
  const parsed = CostFile.safeParse(parseJson(path, text));
  if (!parsed.success) throw new CommandFailure(explainIssue(path, parsed.error.issues[0]));
  const { entryCache, ...costs } = parsed.data;
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
