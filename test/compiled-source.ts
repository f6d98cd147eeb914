import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * SHA-256 of the sources of compiled loops, as `npm run build:hot` writes it beside them.
 * @param hot the folder of `source/`, such as `hw/hot`
 */
export function hashOfSource(hot: string): string {
  const folder = new URL(`../${hot}/source/`, import.meta.url);
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) hash.update(readFileSync(new URL(name, folder)));
  return hash.digest('hex');
}
