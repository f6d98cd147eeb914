#!/usr/bin/env node
// Builds what is older than its sources. npm runs `prepare` at the first npx in a clone, too, when all is built already.
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Each bundle: a file of it, what it is made of, and the script. */
const BUNDLES = [
  ['dist/bundle/main.js', ['src/vite.config.js'], 'build:bundle'],
  ['dist/web/index.html', ['web', 'src/trace/shipped'], 'build:web'],
];

/** When a file, or the last of the files in a folder, was written: in ms; 0 when there is none. */
function lastWritten(path) {
  const whole = join(ROOT, path);
  const found = statSync(whole, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found?.mtimeMs ?? 0;
  const names = readdirSync(whole, { recursive: true, encoding: 'utf8' });
  // Compiled declarations and notes of the compiler change no bundle.
  const files = names.filter((name) => !/\.d\.ts$|\.map$/.test(name)).map((name) => statSync(join(whole, name)));
  return Math.max(0, ...files.filter((file) => file.isFile()).map(({ mtimeMs }) => mtimeMs));
}

/** By a script of package.json, as users would: without what vitest sets. What the tools say matters only when they fail. */
function build(script) {
  const env = { ...process.env };
  delete env.NODE_ENV;
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', script], { cwd: ROOT, env });
  if (status === 0) return;
  process.stderr.write(Buffer.concat([stdout, stderr]));
  process.exit(1);
}

build('build:types');
for (const [bundle, sources, script] of BUNDLES) {
  const newest = Math.max(...['dist/hw', 'dist/src', 'package-lock.json', ...sources].map(lastWritten));
  if (newest > lastWritten(bundle)) build(script);
}
