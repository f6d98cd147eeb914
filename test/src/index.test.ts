import { expect, test } from 'vitest';
import * as pagewalk from '../../src/index.js';

const { compare, compareText, openWorkload, parseTlb } = pagewalk;

test('a comparison can be made with what the package exports', async () => {
  const source = { name: 'stride', open: () => openWorkload('stride', { footprint: 2 ** 20, accesses: 1000 }) };
  const result = await compare({ sources: [source], shifts: [12], tlb: parseTlb('16x4') });
  expect(result.runs[0].counts).toEqual({ lookups: 1000, l1Hits: 0, l2Hits: 0, walks: 1000, entryReads: 4000 });
  expect(compareText(result)).toContain('1,000');
});

test('a result below 0 of the kernel can be compared with a name, and printed', () => {
  const { Core, EINVAL, errnoName, Kernel, MAP_ANONYMOUS, MAP_PRIVATE, Mmu, Ram, SEGV_MAPERR, signalName } = pagewalk;
  const kernel = new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ bytes: 2 ** 24 }) })) });
  const process = kernel.spawn();
  const fault = kernel.load(process, 0x1234, 4);
  expect([fault, signalName(fault), errnoName(fault)]).toEqual([
    SEGV_MAPERR,
    'SIGSEGV (SEGV_MAPERR)',
    'SIGSEGV (SEGV_MAPERR)',
  ]);
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const refused = kernel.mmap(process, { address: 0, length: 0, prot: 3, flags, file: null, offset: 0 });
  expect([refused, errnoName(refused)]).toEqual([EINVAL, 'EINVAL']);
});
