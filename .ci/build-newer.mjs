#!/usr/bin/env node
// Builds what is older than its sources. npm runs `prepare` at the first npx in a clone, too, when all is built already.
import { execSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const { bin, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const ENTRIES = [bin.pagewalk, ...Object.values(exports).map((entry) => entry.default)].filter(Boolean);

/** Each bundle: its files that others name, what it is made of, and the script. */
const BUNDLES = [
  [ENTRIES, ['src/vite.config.js'], 'build:bundle'],
  [['dist/web/index.html'], ['web', 'src/trace/shipped'], 'build:web'],
];

/** When each file in a folder, or the file itself, was written: in ms; 0 when there is none. */
function written(path) {
  const whole = join(ROOT, path);
  const found = statSync(whole, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return [found?.mtimeMs ?? 0];
  const names = readdirSync(whole, { recursive: true, encoding: 'utf8' });
  // Compiled declarations and notes of the compiler change no bundle.
  const files = names.filter((name) => !/\.d\.ts$|\.map$/.test(name)).map((name) => statSync(join(whole, name)));
  return files.filter((file) => file.isFile()).map(({ mtimeMs }) => mtimeMs);
}

/** By a script of package.json, as users would: without what vitest sets. What the tools say matters only when they fail. */
function build(script) {
  const env = { ...process.env };
  delete env.NODE_ENV;
  try {
    execSync(`npm run --silent ${script}`, { cwd: ROOT, env, stdio: 'pipe', maxBuffer: 2 ** 28 });
  } catch ({ message, stdout }) {
    // The message ends with what was written to standard error.
    process.stderr.write(`${stdout}${message}\n`);
    process.exit(1);
  }
}

build('build:types');
for (const [files, sources, script] of BUNDLES) {
  const newest = Math.max(...['dist/hw', 'dist/src', 'package-lock.json', ...sources].flatMap(written));
  if (newest > Math.min(...files.flatMap(written))) build(script);
}
