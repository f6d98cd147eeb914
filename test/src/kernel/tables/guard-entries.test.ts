import { expect, it } from 'vitest';
import { AArch64Entries } from '../../../../src/kernel/tables/entries-aarch64.js';
import { RiscvEntries } from '../../../../src/kernel/tables/entries-riscv.js';
import { X86Entries } from '../../../../src/kernel/tables/entries-x86.js';

it.each([
  ['x86', X86Entries],
  ['RISC-V', RiscvEntries],
  ['AArch64', AArch64Entries],
])('an entry of %s for a guard page is neither mapped nor special, and a copy is one, too', (_name, Format) => {
  const format = new Format({ words: new Int32Array(4), shared: false, hot: null, journal: null, storeLabel: '' });
  format.setGuard(0);
  format.setCopy(0, 2, format.words[0], format.readOnly, true);
  for (const low of [format.words[0], format.words[2]]) {
    expect([format.isGuard(low), format.isMapped(low), format.isSpecial(low)]).toEqual([true, false, false]);
  }
});
