import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const COMMANDS = fileURLToPath(new URL('../../../dist/src/cli/commands/', import.meta.url));

/** The packages that a module loads before it runs, by itself or by another. */
function packagesOf(module: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(module)) return packages;
  seen.add(module);
  for (const [, name] of readFileSync(module, 'utf8').matchAll(/^(?:import|export)\b[^;'"]*['"]([^'"]+)['"]/gm)) {
    if (!name.startsWith('.')) packages.add(name);
    else for (const other of packagesOf(join(dirname(module), name), seen)) packages.add(other);
  }
  return packages;
}

it.each(['fork', 'segment', 'walk/walk'])(
  '%s checks nothing from outside, and loads no validator for it',
  (command) => {
    const packages = packagesOf(join(COMMANDS, `${command}.js`));
    expect([packages.has('commander'), packages.has('zod')]).toEqual([true, false]);
  },
);
