import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The path of a file in the package as it is, such as C source or a recording. It lies beside its module in
 * `src/`; `dist/src/` has compiled modules alone.
 * @param module the `import.meta.url` of the asking module
 * @param path relative to it
 */
export function shippedFile(module: string, path: string): string {
  const beside = new URL(path, module);
  return fileURLToPath(existsSync(beside) ? beside : beside.href.replace(/^(.*)\/dist\/src\//, '$1/src/'));
}
