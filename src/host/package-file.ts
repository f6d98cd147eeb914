import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';

/** The folder of the package: this module may lie in its source, compiled, or in a bundle. */
function packageFolder(): URL {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) folder = new URL('..', folder);
  return folder;
}

/**
 * The path of a file that the package has beside its compiled modules, such as C source or a recording.
 * @param path from the folder of the package on
 */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(path, packageFolder()));
}

/** The version of the package, such as `1.2.3`. */
export function packageVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
