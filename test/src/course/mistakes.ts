/** Typical mistakes: each a small change of the right handler, with the step that must fail and the reason that must be named. */

import type { FindingKind } from '../../../src/course/engine/finding.js';
import type { CourseMachineName } from '../../../src/course/engine/machines.js';
import type { Change } from './solution.js';

export interface Mistake {
  readonly name: string;
  readonly step: string;
  readonly kind: FindingKind;
  /** In the sentence of the finding. */
  readonly reason: RegExp;
  readonly changes: readonly Change[];
  /** Both when absent. */
  readonly machine?: CourseMachineName;
}

const LOAD = 'machine.load(table * 4096 + indexOf(address, level) * 8);\n    if (!(entry & P)) return -1;';
const PROTECT = '    machine.store(slot, entry - RW);\n    flushPage(machine, page);';
const COPIED = '  machine.store(slot, entryOf(frame, flagsOf(entry) | RW | D));\n  flushPage(machine, page);';
const EVICTED = '      machine.store(slot, dirty ? swapEntry(away) : 0);\n      flushPage(machine, page);';

/** A change, and another one. */
function mistake(
  name: string,
  step: string,
  [kind, reason]: readonly [FindingKind, RegExp],
  ...changes: readonly Change[]
): Mistake {
  return { name, step, kind, reason, changes };
}

export const MISTAKES: readonly Mistake[] = [
  mistake(
    'the index of a level is wrong',
    'walk',
    ['bad answer', /walk\(.* the processor finds/],
    [LOAD, LOAD.replace('level)', 'level === 1 ? 0 : level)')],
  ),
  mistake(
    'the walk goes on past an entry that is not present',
    'walk',
    ['bad answer', /finds a page fault/],
    ['    if (!(entry & P)) return -1;\n', ''],
  ),
  {
    ...mistake(
      'rights of upper levels are ignored',
      'walk',
      ['bad answer', /finds a page fault/],
      ['if (write && !(entry & RW)) return -1;', 'if (level === 0 && write && !(entry & RW)) return -1;'],
    ),
    machine: 'x86',
  },
  {
    ...mistake(
      'a page of 2 MiB is taken for a table',
      'walk',
      ['bad answer', /walk/],
      ['level === 0 || (level < 3 && entry & PS)', 'level === 0'],
    ),
    machine: 'x86',
  },
  {
    ...mistake(
      'U is ignored',
      'walk',
      ['bad answer', /finds a page fault/],
      ['      if (!(entry & US)) return -1;\n', ''],
    ),
    machine: 'sv39',
  },
  {
    ...mistake(
      'a superpage may lie anywhere',
      'walk',
      ['bad answer', /finds a page fault/],
      ['      if ((frameOf(entry) * 4096) % size !== 0) return -1;\n', ''],
    ),
    machine: 'sv39',
  },
  mistake(
    'a new table is not cleared',
    'map',
    ['bad table', /0x5b5b2b5b5b5b was taken for an entry/],
    ['      machine.zeroFrame(frame);\n      machine.store(at', '      machine.store(at'],
  ),
  mistake(
    'a table is allocated that is there already',
    'map',
    ['leaked frame', /allocated by map\(.* in line 1, and no/],
    ['      if (!make) return 0;\n', '      if (!make) return 0;\n      kernel.allocate();\n'],
  ),
  mistake(
    'a page is not zeroed',
    'demand',
    ['wrong byte', /reads 0x\w+: 0 expected, \d+ read/],
    ['    machine.zeroFrame(frame);\n    kernel.frameUsers', '    kernel.frameUsers'],
  ),
  mistake(
    'the end of a region belongs to it',
    'demand',
    ['wrong fault', /should be refused/],
    ['address < end);', 'address <= end);'],
  ),
  mistake(
    'read-only regions get writable pages',
    'demand',
    ['bad table', /write to a read-only region/],
    ['pageFlags(region.writable)', 'pageFlags(true)'],
  ),
  mistake(
    'the parent keeps its right to write',
    'fork',
    ['bad table', /lets A write to frame \d+, and 2 entries/],
    ['      machine.store(from, entry);\n', ''],
  ),
  mistake(
    'shared pages become copy on write',
    'fork',
    ['wrong byte', /expected/],
    ['if (entry & RW && !region.shared) entry -= RW;', 'if (entry & RW) entry -= RW;'],
  ),
  mistake(
    'a fork of the second generation is not counted',
    'fork',
    ['bad table', /was given back by/],
    ['kernel.frameUsers[frameOf(entry)]++;', 'kernel.frameUsers[frameOf(entry)] = 2;'],
  ),
  mistake(
    'exit leaves its tables',
    'fork',
    ['leaked frame', /table in frame \d+, which was given back by exit\(\w\)/],
    ['  freeTables(kernel, process.root, LEVELS - 1);', '  kernel.free(process.root);'],
  ),
  mistake(
    'exit frees what others have',
    'fork',
    ['bad table', /was given back by exit\(/],
    ['if (--kernel.frameUsers[frame] === 0) kernel.free(frame);', 'kernel.free(frame);'],
  ),
  mistake(
    'a frame is given back twice',
    'fork',
    ['misuse', /is given back but was given back by exit\(/],
    ['  kernel.free(table);\n', '  kernel.free(table);\n  if (level === 0) kernel.free(table);\n'],
  ),
  mistake(
    'half of the page is copied',
    'fork',
    ['wrong byte', /expected/],
    [
      'machine.copyFrame(old, frame);',
      'for (let i = 0; i < 2048; i += 8) machine.store(frame * 4096 + i, machine.load(old * 4096 + i));',
    ],
  ),
  mistake(
    'the last owner copies',
    'reuse',
    ['copied alone', /last owner .* still allocated a frame/],
    ['if (kernel.frameUsers[old] === 1) {', 'if (false) {'],
  ),
  mistake(
    'a page is used again while it is shared',
    'reuse',
    ['bad table', /write to frame \d+, and 2 entries/],
    ['kernel.frameUsers[old] === 1', 'kernel.frameUsers[old] <= 2'],
  ),
  mistake(
    'no flush at fork',
    'invalidate',
    ['stale entry', /rights were taken away.*stored by fork\(\w, \w\) in line \d/],
    ['  }\n  flushAll(machine);\n}', '  }\n}'],
  ),
  mistake(
    'the flush comes too early',
    'invalidate',
    ['stale entry', /stored by protect\(\w, region 0, read-only\)/],
    [PROTECT, '    flushPage(machine, page);\n    machine.store(slot, entry - RW);'],
  ),
  mistake(
    'a copy is mapped after the flush',
    'invalidate',
    ['stale entry', /another frame.*stored by pageFault\(/],
    [COPIED, COPIED.split('\n').reverse().join('\n')],
  ),
  {
    ...mistake(
      'global entries are not flushed',
      'invalidate',
      ['stale entry', /no INVLPG 0x\w+ .*stored by protect/],
      [PROTECT, PROTECT.replace('flushPage(machine, page)', 'flushAll(machine)')],
    ),
    machine: 'x86',
  },
  {
    ...mistake(
      'global entries are not flushed',
      'invalidate',
      ['stale entry', /no SFENCE.VMA 0x\w+.*stored by protect/],
      [PROTECT, PROTECT.replace('flushPage(machine, page)', 'machine.sfenceVma(page, 0)')],
    ),
    machine: 'sv39',
  },
  {
    ...mistake(
      'satp is written without a fence',
      'invalidate',
      ['stale entry', /no SFENCE.VMA/],
      ['  flushAll(kernel.machine);\n}', '}'],
    ),
    machine: 'sv39',
  },
  mistake(
    'a region made writable gives the right to shared pages',
    'invalidate',
    ['bad table', /write to frame/],
    ['  if (region.writable) return;', ''],
    [
      '    if (!(entry & P) || !(entry & RW)) continue;',
      '    if (!(entry & P)) continue;\n    if (region.writable) machine.store(slot, entry & RW ? entry : entry + RW);\n    if (region.writable || !(entry & RW)) continue;',
    ],
  ),
  mistake(
    'discard keeps the frame',
    'invalidate',
    ['leaked frame', /overwritten by (discard|exit)\(/],
    ['if (entry & P) release(kernel, frameOf(entry));', 'if (entry & P) kernel.frameUsers[frameOf(entry)]--;'],
  ),
  mistake(
    'buddies are not joined',
    'buddy',
    ['bad answer', /were buddies joined/],
    ['while (size < free.length - 1) {', 'while (false) {'],
  ),
  mistake(
    'a block is joined with one in use',
    'buddy',
    ['bad answer', /frames of this block are in use/],
    ['if (!free[size].delete(buddy)) break;', 'if (used.get(buddy) !== size && !free[size].delete(buddy)) break;'],
  ),
  mistake(
    'a block is taken back twice',
    'buddy',
    ['bad answer', /not allocated: false expected/],
    ['  if (used.get(frame) !== order) return false;\n', ''],
  ),
  mistake(
    'the buddy is the next block',
    'buddy',
    ['bad answer', /buddyAllocate/],
    ['block ^ (1 << size)', 'block + 2 ** size'],
  ),
  mistake(
    'a slot is leaked',
    'swap',
    ['leaked slot', /slot/],
    ['if (--kernel.slotUsers[slot] === 0) kernel.freeSlot(slot);', '--kernel.slotUsers[slot];'],
  ),
  mistake(
    "a page's contents are not written out",
    'swap',
    ['wrong byte', /expected/],
    ['    if (dirty) machine.writeSlot(away, frame);\n', ''],
  ),
  mistake(
    'a page that came back is not dirty',
    'swap',
    ['wrong byte', /\d+ expected, 0 read/],
    ['flags |= A | D;', 'flags |= A;'],
  ),
  mistake(
    'the clock clears no accessed bit',
    'swap',
    ['no end', /evict\(\) in line \d: it makes no end/],
    ['machine.store(slot, entry - A);', ';'],
  ),
  mistake(
    'the clock looks at no accessed bit',
    'swap',
    ['used page evicted', /accessed bit set/],
    ['if (entries.some(({ entry }) => entry & A)) {', 'if (false) {'],
  ),
  mistake(
    'a slot of two entries is freed by the first',
    'swap',
    ['wrong byte', /expected/],
    [
      'if (--kernel.slotUsers[slot] === 0) kernel.freeSlot(slot);',
      'if (kernel.slotUsers[slot] > 0) kernel.freeSlot(slot);\n  kernel.slotUsers[slot] = 0;',
    ],
  ),
  mistake(
    'fork forgets pages on the disk',
    'swap',
    ['wrong byte', /expected/],
    ['machine.load(from) === 0) continue;', '!(machine.load(from) & P)) continue;'],
  ),
  mistake(
    'no flush at eviction',
    'swap',
    ['stale entry', /stored by evict\(\) in line \d/],
    [EVICTED, EVICTED.split('\n')[0]],
  ),
];
