import { expect, test } from 'vitest';
import { DEMO_MODES, demoState, demoStateInput } from '../../../src/explain/demo-states.js';
import { buildMachine } from '../../../src/explain/machine.js';
import { parseState } from '../../../src/explain/machine-state.js';
import { segmentDemo, segmentDemoInput } from '../../../src/explain/segment/segment-demo.js';

const GOOD = { schemaVersion: 1, registers: { cr0: '0x1' } };

test.each(DEMO_MODES)('the demonstration of mode %s is what its file gives, defaults and all', (mode) => {
  expect(parseState(JSON.parse(JSON.stringify(demoStateInput(mode))))).toEqual(demoState(mode));
});

test.each([0, 3])('the demonstration of segments at CPL %i is what its file gives, defaults and all', (cpl) => {
  expect(parseState(JSON.parse(JSON.stringify(segmentDemoInput(cpl))))).toEqual(segmentDemo(cpl));
});

test('texts are hexadecimal with or without 0x, and numbers are decimal', () => {
  const { memory } = parseState({
    ...GOOD,
    memory: [
      { at: '1000', value: '0x1000' },
      { at: 1000, value: 2 ** 33 },
    ],
  });
  expect(memory.map(({ at, value }) => [at, value])).toEqual([
    [
      { hi: 0, lo: 0x1000 },
      { hi: 0, lo: 0x1000 },
    ],
    [
      { hi: 0, lo: 1000 },
      { hi: 2, lo: 0 },
    ],
  ]);
});

test.each([
  [{ ...GOOD, schemaVersion: 2 }, /^schemaVersion: must be 1$/],
  [{ ...GOOD, registers: { cr0: 'one' } }, /^registers\.cr0: expected a hexadecimal number .* found 'one'$/],
  [
    { ...GOOD, registers: { cr0: '0x1', cr5: 0 } },
    /^registers: there is no field 'cr5'; there are cr0, cr3, cr4, efer, pkru, pkrs, ac$/,
  ],
  [{ ...GOOD, registers: { cr0: '0x100000000' } }, /^registers\.cr0: bits 63:32 are reserved/],
  [{ ...GOOD, memory: [{ at: 0, value: '0x1ffffffff', bytes: 4 }] }, /^memory\.0\.value: does not fit into 4 bytes/],
  [{ ...GOOD, memory: [{ at: 0, value: 0, bytes: 3 }] }, /^memory\.0\.bytes: must be 4 or 8/],
  [{ ...GOOD, ramBytes: 5000 }, /^ramBytes: /],
  [{}, /^schemaVersion: must be 1$/],
  [{ ...GOOD, colour: 1 }, /^there is no field 'colour'; there are schemaVersion, machine, about, ramBytes, /],
  [[], /^expected an object such as/],
])('%j is refused, field and fix named', (value, message) => {
  expect(() => parseState(value)).toThrow(message);
});

test.each([
  [{ memory: [{ at: '0x4000000', value: 1 }] }, /^memory\.0\.at: 0x4000000 lies outside of RAM; make ramBytes/],
  [{ tlb: '64x5' }, /^tlb: .*ways 5/],
  [{ registers: { cr0: '0x80000000' } }, /^registers\.cr0: the processor refuses 0x80000000/],
  [{ registers: { cr0: 1, cr4: '0x80000000' } }, /^registers\.cr4: the processor refuses/],
  [{ registers: { cr0: '0x80000041', cr3: '0x100000000000', cr4: '0x20', efer: '0x100' } }, /^registers\.cr3: the/],
  [{ registers: { cr0: 1, efer: '0x2' } }, /^registers\.efer: the processor refuses/],
  [{ accesses: [{ at: '0x4000000' }] }, /^accesses\.0: bus error.*leave it out/],
  [{ segments: { gdt: { base: 0, limit: 7 }, ldt: '0x8' } }, /^segments\.ldt: LLDT 0x8 ends in #GP/],
])('a machine with %j is refused, field and fix named', (fields, message) => {
  expect(() => buildMachine(parseState({ ...GOOD, ...fields }))).toThrow(message);
});
