#!/usr/bin/env node
// Puts the compiled hot loops into a TypeScript file: so a browser or a bundler needs no other.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const [, , module] = process.argv;
const folder = 'hw/hot/source';
const hash = createHash('sha256');
for (const name of readdirSync(folder).sort()) hash.update(readFileSync(`${folder}/${name}`));
const lines = readFileSync(module)
  .toString('base64')
  .match(/.{1,110}/g)
  .map((line) => `  '${line}'`);
writeFileSync(
  'hw/hot/module.ts',
  `/** The module of source/, made by \`npm run build:hot\`. */

/** SHA-256 of the files there, in the order of their names. */
export const SOURCE = '${hash.digest('hex')}';
export const MODULE =
${lines.join(' +\n')};
`,
);
