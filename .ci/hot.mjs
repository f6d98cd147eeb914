#!/usr/bin/env node
// Puts the compiled hot loops into a TypeScript file: so a browser or a bundler needs no other.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

const [, , module] = process.argv;
const source = readFileSync('hw/hot/source/loops.ts', 'utf8');
const lines = readFileSync(module)
  .toString('base64')
  .match(/.{1,110}/g)
  .map((line) => `  '${line}'`);
writeFileSync(
  'hw/hot/module.ts',
  `/** The module of source/loops.ts, made by \`npm run build:hot\`. */

/** SHA-256 of the source. */
export const SOURCE = '${createHash('sha256').update(source).digest('hex')}';
export const MODULE =
${lines.join(' +\n')};
`,
);
