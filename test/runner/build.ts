import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** When a file, or the last of the files in a folder, was written: in ms; 0 when there is none. */
function lastWritten(path: string): number {
  const whole = join(ROOT, path);
  const found = statSync(whole, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found?.mtimeMs ?? 0;
  const names = readdirSync(whole, { recursive: true, encoding: 'utf8' });
  // Compiled declarations and notes of the compiler change no bundle.
  const files = names.filter((name) => !/\.d\.ts$|\.map$/.test(name)).map((name) => statSync(join(whole, name)));
  return Math.max(0, ...files.filter((file) => file.isFile()).map(({ mtimeMs }) => mtimeMs));
}

/** Makes what is out of date by a script of package.json, as users would: without what vitest sets. */
function build(script: string): void {
  const env = { ...process.env };
  delete env.NODE_ENV;
  execFileSync('npm', ['run', '--silent', script], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Each bundle: a file of it, what it is made of, and the script. */
const BUNDLES: readonly (readonly [string, readonly string[], string])[] = [
  ['dist/bundle/main.js', ['src/vite.config.js'], 'build:bundle'],
  ['dist/web/index.html', ['web', 'src/trace/shipped'], 'build:web'],
];

/** Tests run what is compiled, the command that ships, and the page: whoever changed a source would see an old one. */
export default function buildWhatIsNewer(): void {
  build('build:types');
  for (const [bundle, sources, script] of BUNDLES) {
    const newest = Math.max(...['dist/hw', 'dist/src', 'package-lock.json', ...sources].map(lastWritten));
    if (newest > lastWritten(bundle)) build(script);
  }
}
