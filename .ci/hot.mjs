#!/usr/bin/env node
// Compiles hot loops into TypeScript files: so a browser or a bundler needs no other.
import { createHash } from 'node:crypto';
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';
import binaryen from 'assemblyscript/binaryen';

/** Each has its sources in source/, and gets module.ts, whose names begin so. */
const FOLDERS = {
  'hw/hot': 'BATCH',
  'src/kernel/tables/hot': 'FORK',
  'src/trace/packed/hot': 'DECODE',
  'src/compare/lookups/hot': 'FIND',
  'src/compare/memory/hot': 'LINES',
};
/** Rare ways of a walk are calls there: with more of them inlined, a batch of hits takes 1.04 times as long. */
const WITH_CALLS = 'hw/hot/source';
const FLAGS = ['-O3', '--enable', 'simd', '--noAssert', '--runtime', 'stub', '--importMemory', '--outFile', 'module'];

async function compile(source) {
  let module = new Uint8Array(0);
  const { error, stderr } = await asc.main([`${source}/index.ts`, ...FLAGS], {
    writeFile: (_name, contents) => (module = contents),
  });
  if (error !== null) throw new Error(stderr.toString());
  // V8 inlines nothing in WebAssembly, and calls cost a miss of the modelled TLB a quarter of its time.
  const whole = binaryen.readBinary(module);
  whole.setFeatures(binaryen.Features.MVP | binaryen.Features.SIMD128 | binaryen.Features.BulkMemory);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  const most = source === WITH_CALLS ? 400 : 600;
  binaryen.setAlwaysInlineMaxSize(most);
  binaryen.setFlexibleInlineMaxSize(most);
  whole.optimize();
  if (source !== WITH_CALLS && whole.emitText().includes('(call ')) {
    throw new Error(`${source}: a function outgrew the limit and is called; write less, or raise the limit`);
  }
  return whole.emitBinary();
}

for (const [folder, name] of Object.entries(FOLDERS)) {
  const source = `${folder}/source`;
  const hash = createHash('sha256');
  for (const file of readdirSync(source).sort()) hash.update(readFileSync(`${source}/${file}`));
  const base64 = Buffer.from(await compile(source)).toString('base64');
  const lines = base64.match(/.{1,110}/g);
  writeFileSync(
    `${folder}/module.ts`,
    `/** The module of source/, made by \`npm run build:hot\`. */

/** SHA-256 of the files there, in the order of their names. */
export const ${name}_SOURCE = '${hash.digest('hex')}';
export const ${name}_MODULE =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`,
  );
}
