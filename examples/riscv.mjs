// Translate an address of a RISC-V process as xv6 has it, by Sv39. Run it: node examples/riscv.mjs

import { causeName, decodeEntry, flagNames, formatHex, Hart, Ram, READ, RISCV_MODES, USER, WRITE } from 'pagewalk/hw';

// RAM begins at 0x8000_0000, as on QEMU's board "virt". An entry has its frame number from bit 10 on.
const ram = new Ram({ ranges: [{ base: 0x8000_0000, bytes: 1 << 20 }] });
const table = (/** @type {number} */ frame) => (frame << 10) | 1; // V alone: it leads to a table
const page = (/** @type {number} */ frame, /** @type {number} */ flags) => BigInt(frame) * 1024n + BigInt(flags);
const [ROOT, MIDDLE, LAST] = [0x80001, 0x80002, 0x80003];
const at = (/** @type {number} */ frame, /** @type {number} */ index) => frame * 4096 + index * 8;
ram.write64(at(ROOT, 0), table(MIDDLE));
ram.write64(at(MIDDLE, 0), table(LAST));
ram.write64(at(LAST, 0), page(0x80010, 0xdb)); // code: V R X U A D
ram.write64(at(LAST, 1), page(0x80011, 0xd7)); // data: V R W U A D
ram.write64(at(LAST, 2), page(0x80012, 0xc7)); // a guard page: V R W A D, without U
// Nothing else is mapped; the stack would be page 3.

const hart = new Hart({ ram });
hart.writeCsr('satp', (8n << 60n) | BigInt(ROOT)); // MODE 8 is Sv39
hart.setPrivilege('S'); // out of machine mode, where nothing is translated

const { levels } = RISCV_MODES.sv39;
for (const [what, address, access] of /** @type {const} */ ([
  ['a load in user mode', 0x1234, READ | USER],
  ['a store to code', 0x10, WRITE | USER],
  ['a load from the guard page', 0x2000, READ | USER],
  ['a load from user data in supervisor mode', 0x1234, READ],
])) {
  console.log(`${what}, at ${formatHex(0, address)}`);
  const frame = hart.translate(0, address, access);
  for (const { level, address: entry, high, low } of frame < 0 ? [] : hart.walkRecord.reads()) {
    const format = levels.find((one) => one.level === level)?.[level > 0 ? 'tableEntry' : 'pageEntry'];
    const value = format && decodeEntry(format, high, low).find(({ name }) => name === 'frame')?.value;
    const flags = format && flagNames(format, high, low);
    console.log(`  level ${level}: pte at 0x${entry.toString(16)} leads to frame 0x${value?.toString(16)}, ${flags}`);
  }
  if (frame >= 0) console.log(`  pa 0x${(frame * 4096 + (address & 4095)).toString(16)}`);
  else console.log(`  ${causeName(hart.trap().cause)}, stval 0x${hart.trap().tval.toString(16)}`);
}

// SUM lets the supervisor reach user pages, at once: a change of it needs no fence.
hart.writeCsr('sstatus', 1 << 18);
console.log(`with SUM: frame 0x${hart.translate(0, 0x1234, READ).toString(16)}`);

/* It prints:
a load in user mode, at 0x1234
  level 2: pte at 0x80001000 leads to frame 0x80002, V
  level 1: pte at 0x80002000 leads to frame 0x80003, V
  level 0: pte at 0x80003008 leads to frame 0x80011, D A U W R V
  pa 0x80011234
a store to code, at 0x10
  store/AMO page fault, stval 0x10
a load from the guard page, at 0x2000
  load page fault, stval 0x2000
a load from user data in supervisor mode, at 0x1234
  load page fault, stval 0x1234
with SUM: frame 0x80011
*/
