import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as page from '../../../../src/kernel/tables/entries.js';
import { AArch64Entries } from '../../../../src/kernel/tables/entries-aarch64.js';

const { PAGE_ACCESSIBLE, PAGE_EXECUTABLE, PAGE_HUGE, PAGE_SPECIAL, PAGE_TOUCHED, PAGE_WRITABLE, PAGE_WRITTEN } = page;

// Arm ARM (DDI 0487), D8.3: valid, page, AttrIndx 4:2, NS, AP[2:1], SH 9:8, AF, nG; in the high word DBM, PXN, UXN.
const [VALID, PAGE, SPECIAL, SOFT, WRITE, DIRTY] = [1, 2, 4, 8, 16, 32];
const [EL0, READ_ONLY, SHARED, AF, NG] = [1 << 6, 1 << 7, 3 << 8, 1 << 10, 1 << 11];
const [DBM, PXN, UXN] = [1 << 19, 1 << 21, 1 << 22];
const FRAME = 0x12_3456;
const ANY = NG | SHARED;

function entries(low = 0, high = 0, shared = false): AArch64Entries {
  const words = shared ? new Int32Array(new SharedArrayBuffer(16)) : new Int32Array(4);
  words.set([low, high]);
  return new AArch64Entries({ words, shared, hot: null, journal: null, storeLabel: '' });
}

describe('an AArch64 entry of the kernel', () => {
  it.each([
    ['a page to read', PAGE_ACCESSIBLE, VALID | PAGE | EL0 | READ_ONLY, PXN | UXN],
    ['a clean page to write', PAGE_ACCESSIBLE | PAGE_WRITABLE, VALID | PAGE | EL0 | READ_ONLY | WRITE, PXN | UXN | DBM],
    ['code', PAGE_ACCESSIBLE | PAGE_EXECUTABLE | PAGE_TOUCHED, VALID | PAGE | EL0 | READ_ONLY | AF, PXN],
    [
      'a page just written',
      PAGE_ACCESSIBLE | PAGE_TOUCHED | PAGE_WRITTEN,
      VALID | PAGE | EL0 | AF | WRITE | DIRTY | SOFT,
      PXN | UXN | DBM,
    ],
    ['a huge zero page', PAGE_ACCESSIBLE | PAGE_HUGE | PAGE_SPECIAL, VALID | EL0 | READ_ONLY | SPECIAL, PXN | UXN],
    ['PROT_NONE', 0, PAGE | READ_ONLY, PXN | UXN],
  ])('for %s', (_name, bits, low, high) => {
    const format = entries();
    format.setPage(0, FRAME, bits);
    expect([...format.words.subarray(0, 2)]).toEqual([(FRAME << 12) | ANY | low, (FRAME >>> 20) | high]);
    expect(format.frameAt(0)).toBe(FRAME);
    expect([format.isMapped(low | NG), format.isPresent(low)]).toEqual([true, (low & VALID) !== 0]);
  });

  it('for a table is mapped, and no block', () => {
    const format = entries();
    format.setTable(0, FRAME);
    expect([format.isTable(format.words[0]), format.isMapped(format.words[0]), format.frameAt(0)]).toEqual([
      true,
      true,
      FRAME,
    ]);
  });

  it('keeps that the hardware wrote the page when it loses the right to write', () => {
    const format = entries();
    format.setPage(0, FRAME, PAGE_ACCESSIBLE | PAGE_WRITABLE | PAGE_TOUCHED);
    expect(format.isDirty(format.words[0])).toBe(false);
    // A store of the hardware, under DBM.
    format.words[0] &= ~READ_ONLY;
    expect(format.isDirty(format.words[0])).toBe(true);
    format.makeReadOnly(0);
    const [low, high] = format.words;
    expect([format.isDirty(low), format.isWritable(low), low & READ_ONLY, high & DBM]).toEqual([
      true,
      false,
      READ_ONLY,
      0,
    ]);
  });
});

type Answers = Record<'present' | 'writable' | 'accessed' | 'dirty' | 'soft', boolean> & { frame: number };

/** What the kernel asks of an entry. */
function answers(format: AArch64Entries): Answers {
  const [low, high] = format.words;
  // The hardware: AP[2] clear, or DBM and HD, let it write.
  const writes = (low & READ_ONLY) === 0 || (high & DBM) !== 0;
  expect(writes).toBe(format.isWritable(low));
  return {
    present: format.isPresent(low),
    writable: format.isWritable(low),
    accessed: format.isAccessed(low),
    dirty: format.isDirty(low),
    soft: format.isSoftDirty(low),
    frame: format.frameAt(0),
  };
}

const RIGHTS = [0, PAGE_ACCESSIBLE, PAGE_ACCESSIBLE | PAGE_WRITABLE, PAGE_ACCESSIBLE | PAGE_EXECUTABLE] as const;

/** Each operation of the kernel and of the hardware, and what it is to do to the answers. */
const OPERATIONS: readonly (readonly [(format: AArch64Entries) => void, (before: Answers) => Partial<Answers>])[] = [
  [(format) => format.makeReadOnly(0), () => ({ writable: false })],
  [
    (format) => {
      format.makeClean(0);
    },
    () => ({ writable: false, dirty: false }),
  ],
  [(format) => format.clearSoftDirty(0), () => ({ writable: false, soft: false })],
  [(format) => format.makeOld(0), () => ({ accessed: false })],
  [(format) => format.makeOldAndClean(0), () => ({ accessed: false, dirty: false })],
  [
    (format) => {
      format.markTouched(0, false);
    },
    () => ({ accessed: true }),
  ],
  [
    (format) => {
      format.markTouched(0, true);
    },
    () => ({ accessed: true, dirty: true, soft: true, writable: true }),
  ],
  [
    (format) => {
      format.markAccess(0, true);
    },
    () => ({ accessed: true, dirty: true }),
  ],
  [
    (format) => {
      format.markDirty(0);
    },
    () => ({ dirty: true, soft: true }),
  ],
  // A store of the hardware: it sets AF and, under DBM, clears AP[2].
  [
    (format) => {
      if ((format.words[1] & DBM) !== 0) format.words[0] = (format.words[0] | AF) & ~READ_ONLY;
    },
    ({ writable, accessed, dirty }) => ({ accessed: accessed || writable, dirty: dirty || writable }),
  ],
  ...RIGHTS.map(
    (bits) =>
      [
        (format: AArch64Entries) => format.setRights(0, bits),
        () => ({ present: (bits & PAGE_ACCESSIBLE) !== 0, writable: (bits & PAGE_WRITABLE) !== 0 }),
      ] as const,
  ),
];

describe.each([false, true])('marks and rights, on shared RAM: %s', (shared) => {
  it('stay apart: each operation changes what it says, and nothing else', () => {
    const operation = fc.nat({ max: OPERATIONS.length - 1 });
    fc.assert(
      fc.property(fc.constantFrom(...RIGHTS), fc.array(operation, { maxLength: 30 }), (bits, list) => {
        const format = entries(0, 0, shared);
        format.setPage(0, FRAME, bits);
        for (const index of list) {
          const [act, expected] = OPERATIONS[index];
          const before = answers(format);
          act(format);
          expect(answers(format)).toEqual({ ...before, ...expected(before) });
        }
      }),
    );
  });
});
