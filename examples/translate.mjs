// Translate addresses by page tables that are written by hand. Run it: node examples/translate.mjs

import { Core, describeException, formatHex, Mmu, Ram } from 'pagewalk/hw';

// 8 MiB of RAM. An entry is 8 bytes, given as two words, high first.
// 7 is P, R/W and U/S: present, writable, for user mode. 5 is the same without R/W.
const ram = new Ram({ bytes: 8 << 20 });
ram.store64(0, 0x1000, 0, 0x2007); // PML4[0] leads to the PDPT at 0x2000
ram.store64(0, 0x2000, 0, 0x3007); // PDPT[0] to the page directory at 0x3000
ram.store64(0, 0x3000, 0, 0x4007); // PD[0] to the page table at 0x4000
ram.store64(0, 0x3008, 0, 0x40_0087); // PD[1] maps 2 MiB at once, from 4 MiB on: 0x80 is PS
ram.store64(0, 0x4000, 0, 0x9007); // PT[0] maps 4 KiB to frame 9
ram.store64(0, 0x4008, 0, 0xa005); // PT[1] to frame 10, read-only

const mmu = new Mmu({ ram });
mmu.writeCr4(0x20); // PAE: entries of 8 bytes
mmu.writeEfer(0x900); // LME and NXE: long mode, and no-execute
mmu.writeCr3(0, 0x1000); // the root
mmu.writeCr0(0x80010001); // PG, WP, PE: from here on addresses are translated

const core = new Core(mmu);
core.cpl = 3;
core.onException((exception) => {
  console.log(`  ${describeException(exception)}`);
  return false; // give the access up
});

for (const [what, address] of /** @type {const} */ ([
  ['load', 0x123],
  ['load', 0x20_4567],
  ['store', 0x1000],
  ['load', 0x2000],
])) {
  console.log(`${what} at ${formatHex(0, address)}`);
  const done = what === 'load' ? core.peek(address, 1) !== undefined : core.poke(address, 1, 1);
  if (done) console.log(`  frame 0x${mmu.firstFrame.toString(16)}`);
}

// The walk of the last address read all four levels; the first load set the accessed bit, 0x20, on its way.
console.log(`PT[0] is now 0x${ram.read64(0x4000).toString(16)}`);

/* It prints:
load at 0x123
  frame 0x9
load at 0x204567
  frame 0x404
store at 0x1000
  #PF page fault at 0x1000, error code 0x7: write in user mode of a present page
load at 0x2000
  #PF page fault at 0x2000, error code 0x4: read in user mode of a page that is not present
PT[0] is now 0x9027
*/
