// Catch the INVLPG that a kernel forgot. Run it: node examples/stale-entry.mjs

import { describeStale, Mmu, Ram, READ, USER } from 'pagewalk/hw';

const ram = new Ram({ bytes: 1 << 20 });
ram.store64(0, 0x1000, 0, 0x2007);
ram.store64(0, 0x2000, 0, 0x3007);
ram.store64(0, 0x3000, 0, 0x4007);
ram.store64(0, 0x4000, 0, 0x9007);

// In checking mode every TLB hit is compared with a fresh walk.
const mmu = new Mmu({ ram, check: true });
mmu.writeCr4(0x20); // PAE
mmu.writeEfer(0x900); // LME, NXE
mmu.writeCr3(0, 0x1000);
mmu.writeCr0(0x80010001); // PG, WP, PE

const frame = () => `frame 0x${mmu.translate(0, 0, READ | USER).toString(16)}`;
console.log(`before:         ${frame()}`);

// The page moves to frame 0xb. The TLB does not hear of it: that is for software to say.
ram.store64(0, 0x4000, 0, 0xb007);
console.log(`entry changed:  ${frame()}`);

mmu.invlpg(0, 0);
console.log(`after INVLPG:   ${frame()}`);

for (const stale of mmu.checker?.found ?? []) console.log(describeStale(stale).replaceAll('; ', '\n'));

/* It prints:
before:         frame 0x9
entry changed:  frame 0x9
after INVLPG:   frame 0xb
stale translation of 0x0, address space 0: another frame, and no INVLPG 0x0 (or wider) followed
filled at lookup 1, used at lookup 2
entry of level 0 at 0x4000: 0x9027 is now 0xb007, stored by software (store 1, after lookup 1)
*/
