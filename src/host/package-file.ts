import { existsSync } from 'node:fs';
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
