import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DEFAULT_COSTS, type CostTable } from '../../hw/cost.js';
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
}) satisfies z.ZodType<{ [Name in keyof CostTable]?: number | undefined }>;

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function explainIssue(path: string, issue: z.core.$ZodIssue): string {
  const known = Object.keys(DEFAULT_COSTS).join(', ');
  if (issue.code === 'unrecognized_keys')
    return `${path}: no cost is called '${issue.keys.join("', '")}'; there are ${known}`;
  const field = issue.path.join('.');
  return field === ''
    ? `${path}: expected an object of costs in model cycles, such as {"l2Hit": 7}`
    : `${path}: ${field}: expected model cycles from 0 up (${issue.message})`;
}

/**
 * The cost table of a JSON file such as `{"l2Hit": 9, "entryRead": 30}`.
 * @throws CommandFailure that names file, field and fix
 */
export function readCosts(path: string): CostTable {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw explainSystemError(error, `read '${path}' (--costs)`);
  }
  const parsed = CostFile.safeParse(parseJson(path, text));
  if (!parsed.success) throw new CommandFailure(explainIssue(path, parsed.error.issues[0]));
  return { ...DEFAULT_COSTS, ...(parsed.data as Partial<CostTable>) };
}
