// Takes the comments out of the JavaScript of a package: they stand in its declarations, and the sources have them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import ts from 'typescript';

const compilerOptions = { removeComments: true, target: 'esnext', module: 'esnext' };
// A build for work keeps them.
const folders = ['pack', 'publish'].includes(process.env.npm_command) ? ['dist/hw', 'dist/src'] : [];
for (const folder of folders) {
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, name);
    if (!path.endsWith('.js')) continue;
    writeFileSync(path, ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions }).outputText);
  }
}
