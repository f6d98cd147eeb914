import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** When the last of the modules in a folder was written; 0 when there is none. */
function lastWritten(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  return Math.max(0, ...names.map((name) => statSync(join(folder, name)).mtimeMs));
}

/** Tests run what is compiled, and start the command that ships: whoever changed a source would see an old one. */
export default async function buildWhatIsNewer(): Promise<void> {
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--build'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const compiled = Math.max(...['dist/hw', 'dist/src'].map((folder) => lastWritten(join(ROOT, folder))));
  const bundled = statSync(join(ROOT, 'dist/bundle/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (compiled > bundled) await build({ configFile: join(ROOT, 'src/vite.config.js') });
}
