import { describe, expect, it } from 'vitest';
import { LABS } from '../../../src/lab/labs.js';
import { runLab } from '../../../src/lab/story.js';
import type { Figure, LabResult } from '../../../src/report/results/lab-result.js';

const results = new Map<string, LabResult>();

/** The result of a lab; each lab runs once for all tests. */
function lab(name: string): LabResult {
  let result = results.get(name);
  if (result === undefined) {
    const found = LABS.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`no lab ${name}`);
    result = runLab(found);
    results.set(name, result);
  }
  return result;
}

/** What the chapter gives, written down here once more so that a lab cannot set its own standard. */
const CHAPTER: Readonly<Record<string, Readonly<Record<string, Figure>>>> = {
  kinds: { physicalInA: '0x12340000', physicalInB: '0x12340000', codeWriteRefused: true, sharedByteSeen: 77 },
  editors: { savedBytes: 524288, totalBytes: 688128, unsharedBytes: 1212416, savedBytesFor8: 7 * 524288 },
  libc: { entriesPerProcess: 512, sharedFrames: 512, privateFramesA: '0x5000 0x5001', privateFramesB: '0x6000 0x6001' },
  partial: { sharedPages: 3, privatePages: 5, segmentsNeeded: 3, wholeSegmentLeaks: true },
  fork: { framesBeforeWrite: 1, framesAfterWrite: 2, copies: 1, reuses: 1, countAfterFork: 2, flushes: 1 },
  'fork-cost': { entries4K: 262144, entries2M: 512, bytesPerFault: 4096, deviationFromLinear: 0 },
  'best-worst': { bestCopies: 0, worstCopies: 1024, copiesPerPage: 1 },
  'segment-cow': { segmentBytesCopied: 10485760, pageBytesCopied: 4096, ratio: 2560 },
  fragmentation: { compactions: 1, failure: 'ALLOCATION_FAILED', enoughButScattered: true, fiftyPercentRule: true },
  'library-table': { mappingUnitPages: 4096, mappingUnitSegments: 2 ** 21, updatedPages: 4096, tableBytesSegments: 8 },
  'aslr-paging': { frameInA: '0x12345', frameInB: '0x12345', copies: 1, framesForAll: 1, entropyBits: 28 },
  'aslr-segments': {
    basesA: '0x40000000 0x40000000',
    copiesA: 1,
    basesB: '0x40000000 0x60000000',
    copiesB: 2,
    copiesWithRandomSelectors: 1,
    linearFrames: 1,
  },
  'false-sharing': { bytesCopied: 4096, bytesOfB: 1000, bytesOfConstants: 2096, sameErrorCode: true },
  multics: {
    linkFaults: 2,
    copiesOfLs: 1,
    exceptionsOfSecondCall: 0,
    ringsOf_hcs_: '000000--',
    ringsOf_ms_: '-11111--',
    ringsOf_ls: '-12345--',
    ringViolationRefused: true,
  },
  'mapped-file': { sharedUntilWritten: true, apartAfterwards: true, privateByteInB: 7, sharedByteInB: 201 },
  mistakes: {
    readAsWritten: 99,
    readByTheRightRule: 42,
    sharedSeenAsWritten: 1,
    sharedCaughtByAudit: true,
    segmentCaughtByAudit: true,
  },
};

/** Labs about one scheme alone, which have nothing to compare. */
const ONE_SCHEME = ['multics', 'mapped-file', 'mistakes'];

describe.each(LABS.map(({ name }) => name))('lab %s', (name) => {
  it("measures the chapter's figures", () => {
    expect(lab(name).figures).toMatchObject(CHAPTER[name]);
  });

  it('measures whatever it says that the chapter expects', () => {
    const { figures, expected } = lab(name);
    expect(figures).toMatchObject(expected);
  });

  it('tells its steps with evidence', () => {
    const { steps } = lab(name);
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.filter(({ evidence }) => evidence.length === 0)).toEqual([]);
  });

  it('ends with what both schemes paid, where it is about both', () => {
    const { comparison } = lab(name);
    if (ONE_SCHEME.includes(name)) {
      expect(comparison).toBeUndefined();
      return;
    }
    for (const cost of [comparison!.segmentation, comparison!.paging]) {
      expect(cost.modelCycles).toBeGreaterThan(0);
      expect(cost.tableBytes).toBeGreaterThan(0);
      expect(cost.largestPause).toBeLessThanOrEqual(cost.modelCycles);
    }
  });
});

describe('the labs', () => {
  it('cover the chapter', () => {
    expect(LABS.map(({ name }) => name)).toEqual(Object.keys(CHAPTER));
  });

  it('give the same result every time', () => {
    for (const { name } of LABS.filter((candidate) => candidate.name !== 'fork-cost')) {
      const again = runLab(LABS.find((candidate) => candidate.name === name)!);
      expect(again).toEqual(lab(name));
    }
  });

  it('show that a segment pauses longest where the copy is large, and a page never does', () => {
    const { segmentation, paging } = lab('segment-cow').comparison!;
    expect(segmentation.largestPause).toBeGreaterThan(20 * paging.largestPause);
    expect(segmentation.bytesCopied / paging.bytesCopied).toBe(2560);
  });

  it('show what each remedy against false sharing saves', () => {
    const { figures } = lab('false-sharing');
    expect(figures.interleavedBytesCopied).toBe(409600);
    expect(figures.layoutBytesCopied).toBe(102400);
    expect(figures.layoutForeignBytes).toBeGreaterThan(0);
    expect(figures.alignmentForeignBytes).toBe(0);
    expect(figures.largerPagesBytesCopied).toBe(2 ** 21);
    expect(figures.sectionsProtectedPages).toBeLessThan(Number(figures.alignmentProtectedPages));
  });

  it("show that the chapter's segment rule loses all that it copied", () => {
    const { figures } = lab('mistakes');
    expect(figures.bytesTakenAsWritten).toBe(3 * 4096);
    expect(figures.bytesTakenByTheRightRule).toBe(2 * 4096);
    expect(figures.bytesLostAsWritten).toBe(3 * 4096);
  });
});
