import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ram } from '../../../../hw/memory/ram.js';
import { readFrame, writeFrame } from '../../../../src/kernel/space/direct-map.js';

it('stores the bytes where they belong and no other, from any byte of a frame on', () => {
  const part = fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(part, ([inPage, bytes]) => {
      const ram = new Ram({ bytes: 16384 });
      const before = new Uint8Array(4096).fill(0xa5);
      writeFrame(ram, 2, 0, before);
      writeFrame(ram, 2, inPage, bytes);
      const after = new Uint8Array(4096);
      readFrame(ram, 2, 0, after);
      before.set(bytes, inPage);
      expect(Buffer.compare(after, before)).toBe(0);
    }),
  );
});

it('stores whole words where they are aligned: a page is 1,024 stores', () => {
  const ram = new Ram({ bytes: 16384 });
  const journal = ram.keepJournal();
  writeFrame(ram, 1, 0, new Uint8Array(4096));
  expect(journal.count).toBe(1024);
  writeFrame(ram, 1, 2, new Uint8Array(9));
  expect(journal.count).toBe(1024 + 2 + 1 + 3);
});
