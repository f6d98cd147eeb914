import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Tests run what TypeScript compiled: it is what ships. Vite would read the sources anew, and have each imported name
 * read from an object, which slows hot loops.
 */
export function compiled(): Plugin {
  return {
    name: 'compiled',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer === undefined || !source.startsWith('.') || !source.endsWith('.js')) return null;
      const path = resolve(dirname(importer), source).slice(ROOT.length);
      return /^(?:hw|src|bench)\//.test(path) ? resolve(ROOT, 'dist', path) : null;
    },
  };
}
