// Fork a process, and see the copies that come with the first writes. Run it: node examples/fork-and-copy.mjs

import { Core, Kernel, MAP_ANONYMOUS, MAP_PRIVATE, Mmu, must, PROT_READ, PROT_WRITE, Ram } from 'pagewalk';

const kernel = new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ bytes: 64 << 20 }) })) });
const PAGE = 4096;

/** Prints the counters that a step moved. @param {string} step @param {() => void} run */
function show(step, run) {
  const before = { ...kernel.counters };
  run();
  const { cowFaults, reuseFaults, bytesCopied, invlpg } = kernel.counters;
  console.log(
    `${step}: ${cowFaults - before.cowFaults} copies, ${reuseFaults - before.reuseFaults} re-used, ` +
      `${bytesCopied - before.bytesCopied} bytes copied, ${invlpg - before.invlpg} INVLPG`,
  );
}

const parent = kernel.spawn();
const memory = { length: 8 * PAGE, prot: PROT_READ | PROT_WRITE, flags: MAP_PRIVATE | MAP_ANONYMOUS };
const base = must(kernel.mmap(parent, { address: 0, ...memory, file: null, offset: 0 }));
for (let page = 0; page < 8; page++) kernel.store(parent, base + page * PAGE, 4, 100 + page);

let child = parent;
show('fork', () => (child = must(kernel.fork(parent))));
show('the child writes to one page', () => kernel.store(child, base, 4, 1));
show('the parent writes to the same page', () => kernel.store(parent, base, 4, 2));
show('the parent writes to two more', () => {
  kernel.store(parent, base + PAGE, 4, 3);
  kernel.store(parent, base + 2 * PAGE, 4, 4);
});

for (const process of [parent, child]) {
  const values = Array.from({ length: 8 }, (_, page) => {
    kernel.load(process, base + page * PAGE, 4);
    return kernel.valueLo;
  });
  console.log(`PID ${process.pid} reads ${values.join(' ')}`);
}
show('the child ends', () => kernel.exit(child));
show('the parent writes to a page that was shared', () => kernel.store(parent, base + 5 * PAGE, 4, 5));
console.log(`audit: ${kernel.audit().length === 0 ? 'every frame is accounted for' : kernel.audit().join('\n')}`);

/* It prints:
fork: 0 copies, 0 re-used, 0 bytes copied, 8 INVLPG
the child writes to one page: 1 copies, 0 re-used, 4096 bytes copied, 1 INVLPG
the parent writes to the same page: 0 copies, 1 re-used, 0 bytes copied, 0 INVLPG
the parent writes to two more: 2 copies, 0 re-used, 8192 bytes copied, 2 INVLPG
PID 1 reads 2 3 4 103 104 105 106 107
PID 2 reads 1 101 102 103 104 105 106 107
the child ends: 0 copies, 0 re-used, 0 bytes copied, 0 INVLPG
the parent writes to a page that was shared: 0 copies, 1 re-used, 0 bytes copied, 0 INVLPG
audit: every frame is accounted for
*/
