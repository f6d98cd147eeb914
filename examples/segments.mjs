// Give a program a segment, and go past its limit. Run it: node examples/segments.mjs

import { describeDescriptor, describeException, DS, loadGdt, loadSegment, Mmu, packSegment, Ram } from 'pagewalk/hw';
import { SegmentationUnit } from 'pagewalk/hw';

const GDT = 0x1000;
const ram = new Ram({ bytes: 1 << 20 });
const mmu = new Mmu({ ram });
mmu.writeCr0(1); // PE: protected mode, without paging

const unit = new SegmentationUnit(mmu);
loadGdt(unit, 0, GDT, 4 * 8 - 1); // a base, and a limit: the last valid byte of four descriptors

// Entry 1: data to be read and written, 256 bytes from 0x8000 on. The limit is the last valid offset.
const data = packSegment({
  base: 0x8000,
  limit: 0xff,
  type: 2,
  codeOrData: true,
  privilege: 0,
  present: true,
  available: false,
  long: false,
  big: true,
  granular: false,
});
ram.store64(0, GDT + 8, data.hi, data.lo);
console.log(describeDescriptor(data.hi, data.lo));

// Loading the selector reads the descriptor, checks it, and marks it accessed.
console.log(`MOV DS, 8: ${loadSegment(unit, DS, 8) === 0 ? 'done' : describeException(unit.fault)}`);

/** Stores a doubleword of zeros at DS:offset. @param {number} offset */
function store(offset) {
  const status = unit.write(DS, 0, offset, 4, 0, 0);
  const result =
    status === 0 ? `at linear address 0x${(unit.linearLo >>> 0).toString(16)}` : describeException(unit.fault);
  console.log(`MOV DS:[0x${offset.toString(16)}], EAX: ${result}`);
}
store(0x10);
store(0xfc);
store(0xfd); // its last byte has offset 0x100

// Entry 2 is empty: a descriptor of type 0.
console.log(`MOV DS, 16: ${loadSegment(unit, DS, 16) === 0 ? 'done' : describeException(unit.fault)}`);

/* It prints:
data (writable), base 0x8000, limit 0xff, DPL 0, present
MOV DS, 8: done
MOV DS:[0x10], EAX: at linear address 0x8010
MOV DS:[0xfc], EAX: at linear address 0x80fc
MOV DS:[0xfd], EAX: #GP general protection at 0x80fd, error code 0x0
MOV DS, 16: #GP general protection at 0x0, error code 0x10
*/
