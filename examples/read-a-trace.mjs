// Read a recording, block by block, and see where its accesses go. Run it: node examples/read-a-trace.mjs

import { LOAD, MODIFY, openTrace, shippedTraces, STORE } from 'pagewalk';

const shipped = shippedTraces().find(({ name }) => name === 'sort');
if (shipped === undefined) throw new Error('the recording is missing');

const trace = openTrace(shipped.path);
const pages = new Set();
const bytes = new Float64Array(4); // by kind
for await (const block of trace) {
  // The block is filled again for the next round: take what you need before you ask for more.
  for (let i = 0; i < block.length; i++) {
    pages.add(block.addressHi(i) * 2 ** 20 + (block.addressLo(i) >>> 12));
    bytes[block.kind(i)] += block.size(i);
  }
}

const { loads, stores, modifies } = trace.counts;
console.log(`${loads} loads of ${bytes[LOAD]} bytes, ${stores} stores of ${bytes[STORE]}`);
console.log(`${modifies} load-modify-stores of ${bytes[MODIFY]}`);
console.log(`${pages.size} pages of 4 KiB begin an access`);

/* It prints:
3998841 loads of 39199834 bytes, 1926634 stores of 19546480
74525 load-modify-stores of 596152
9007 pages of 4 KiB begin an access
*/
