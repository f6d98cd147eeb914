import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ChapterSegments } from '../../../src/lab/chapter/segments.js';
import { CHAPTER } from '../../../src/lab/chapter/sentences.js';
import { figureOf } from '../../../src/lab/chapter/words.js';
import { LABS } from '../../../src/lab/labs.js';
import { runLab } from '../../../src/lab/story.js';
import { LabResult, type Figure } from '../../../src/report/results/lab-result.js';
import { labText } from '../../../src/report/views/lab-views.js';

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

/** What must come out, written down here once more so that a lab cannot set its own standard. */
const FIGURES: Readonly<Record<string, Readonly<Record<string, Figure>>>> = {
  kinds: { physicalInA: '0x12340000', physicalInB: '0x12340000', codeWriteRefused: true, sharedByteSeen: 77 },
  editors: {
    limitOfCode: 524287,
    savedBytes: 524288,
    totalBytes: 688128,
    unsharedBytes: 1212416,
    savedBytesFor8: 7 * 524288,
  },
  libc: {
    entriesPerProcess: 512,
    sharedFrames: 512,
    privateFrameA0: '0x5000',
    privateFrameA1: '0x5001',
    privateFrameB0: '0x6000',
    privateFrameB1: '0x6001',
    frameA0x7F1FF: '0x11ff',
    frameB0x7E000: '0x1000',
    frameA0x7F001: '0x1001',
    frameB0x7E001: '0x1001',
  },
  partial: { changedEntries: 1, sharedPages: 3, privatePages: 5, segmentsNeeded: 3, wholeSegmentLeaks: true },
  fork: { framesBeforeWrite: 1, framesAfterWrite: 2, copies: 1, reuses: 1, countAfterFork: 2, flushes: 1 },
  'fork-cost': { entries4K: 262144, entries2M: 512, bytesPerFault: 4096, deviationFromLinear: 0, entriesSparse: 1024 },
  'best-worst': { forkAndExecShare: '0.38%', bestReuses: 1024, bestCopies: 0, worstCopies: 1024, copiesPerPage: 1 },
  'segment-cow': {
    longestCopy: 160,
    bytesStillShared: 0,
    segmentBytesCopied: 10485760,
    pageBytesCopied: 4096,
    ratio: 2560,
  },
  fragmentation: { compactions: 1, failure: 'ALLOCATION_FAILED', enoughButScattered: true, fiftyPercentRule: true },
  'library-table': {
    mappingUnitPages: 4096,
    mappingUnitSegments: 2 ** 21,
    updatedPages: 4096,
    tableBytesSegments: 8,
    readAheadPages: 65,
  },
  'aslr-paging': {
    frameInA: '0x12345',
    frameInB: '0x12345',
    copies: 1,
    physical: '0x12345000',
    framesForAll: 1,
    fullSharing: true,
    entropyBits: 28,
  },
  'aslr-segments': {
    baseA0: '0x40000000',
    baseA1: '0x40000000',
    numberA0: 5,
    copiesA: 1,
    baseB0: '0x40000000',
    baseB1: '0x60000000',
    basesDifferB: true,
    copiesB: 2,
    entropyBits: 10,
    entropyBitsPaging: 28,
    copiesWithRandomSelectors: 1,
    linearFrames: 1,
  },
  'false-sharing': { bytesCopied: 4096, bytesOfB: 1000, bytesOfConstants: 2096, sameErrorCode: true },
  multics: {
    linkFaults: 2,
    copiesOfLs: 1,
    numberElsewhere: true,
    madeUpNumberRefused: true,
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
    segmentReadAsWritten: 99,
    segmentReadByTheRightRule: 42,
    descriptorsUncounted: true,
    copyAsWritten: 99,
    copyByTheRightRule: 42,
    siblingReadAsWritten: 99,
    bytesLostByCompaction: 16384,
    bytesLostWithoutBase: 0,
  },
};

/** Labs about one scheme alone, which have nothing to compare. */
/** Steps about what the processor or an audit said, or about one number. */
const SENTENCES: Readonly<Record<string, readonly number[]>> = {
  editors: [2],
  'fork-cost': [4],
  'false-sharing': [2],
  multics: [1, 2, 5, 7, 8],
  mistakes: [11],
};

const ONE_SCHEME = ['multics', 'mapped-file', 'mistakes'];

describe.each(LABS.map(({ name }) => name))('lab %s', (name) => {
  it('measures the right figures', () => {
    expect(lab(name).figures).toMatchObject(FIGURES[name]);
  });

  it('measures whatever it says that it expects', () => {
    const { figures, expected } = lab(name);
    expect(figures).toMatchObject(expected);
  });

  it('has the form that its schema says', () => {
    expect(LabResult.parse(lab(name))).toEqual(lab(name));
  });

  it('tells its steps with evidence', () => {
    const { steps } = lab(name);
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.filter(({ evidence, table }) => evidence.length === 0 && table === undefined)).toEqual([]);
  });

  it('draws each step, but those that are told by sentences alone', () => {
    const { steps } = lab(name);
    const told = steps.flatMap(({ table, arena, mappings, lines }, i) =>
      [table, arena, mappings, lines].every((drawing) => drawing === undefined) ? [i + 1] : [],
    );
    expect(told).toEqual(SENTENCES[name] ?? []);
  });

  it('names every figure in words', () => {
    const { figures, labels } = lab(name);
    expect(Object.keys(labels)).toEqual(Object.keys(figures));
    for (const label of Object.values(labels)) expect(label).not.toMatch(/[a-z]{2}[A-Z]/);
    expect(new Set(Object.values(labels)).size).toBe(Object.keys(figures).length);
  });

  it('has rows as wide as their head', () => {
    for (const { table } of lab(name).steps) {
      for (const row of table?.rows ?? []) expect(row).toHaveLength(table!.head.length);
      expect(table?.bars?.length ?? table?.rows.length).toBe(table?.rows.length);
    }
  });

  it('fits 80 columns on a terminal', () => {
    const lines = labText(lab(name)).split('\n').map(stripVTControlCharacters);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('ends with what both schemes paid, where it is about both', () => {
    const { comparison } = lab(name);
    if (ONE_SCHEME.includes(name)) {
      expect(comparison).toBeUndefined();
      return;
    }
    expect(comparison!.workload).toMatch(/\.$/);
    for (const cost of [comparison!.segmentation, comparison!.paging]) {
      expect(cost.modelCycles).toBeGreaterThan(0);
      expect(cost.tableBytes).toBeGreaterThan(0);
      expect(cost.largestPause).toBeLessThanOrEqual(cost.modelCycles);
    }
  });
});

/** All that the labs quote, with the figures measured for it. */
function cells() {
  return LABS.flatMap(({ name }) => {
    const { chapter, figures } = lab(name);
    return Object.entries(chapter).map(([key, cell]) => ({ where: `${name}.${key}`, measured: figures[key], ...cell }));
  });
}

/** Words a claim is told from a figure by: a figure is less than its sentence, or is one number. */
function isFigure({ says: words, sentence }: { readonly says: string; readonly sentence: string }): boolean {
  return words !== sentence || /^0x[\dA-F_]+$/.test(words);
}

describe('what the labs say that the chapter says', () => {
  const sentences: readonly string[] = Object.values(CHAPTER).flat();

  it('is a sentence of the chapter, from its section', () => {
    for (const { where, sentence, section } of cells()) {
      expect([where, (CHAPTER as Record<string, readonly string[]>)[section]]).toEqual([
        where,
        expect.arrayContaining([sentence]),
      ]);
    }
  });

  it('shows words of that sentence', () => {
    expect(cells().filter(({ says: words, sentence }) => !sentence.includes(words))).toEqual([]);
  });

  it('agrees exactly where the figure of those words was measured', () => {
    const figures = cells().filter(isFigure);
    expect(figures.length).toBeGreaterThan(30);
    for (const { where, measured, agrees, says: words } of figures) {
      expect([where, agrees]).toEqual([where, figureOf(words) === measured]);
    }
  });

  it('has a reason wherever the machine does otherwise', () => {
    const differing = cells().filter(({ agrees }) => !agrees);
    expect(differing.map(({ where }) => where).sort()).toEqual([
      'aslr-segments.copiesWithRandomSelectors',
      'editors.limitOfCode',
      'false-sharing.largerPagesForeignBytes',
      'fork-cost.entriesSparse',
      'mistakes.bytesLostAsWritten',
      'mistakes.bytesLostByCompaction',
      'mistakes.copyAsWritten',
      'mistakes.descriptorsUncounted',
      'mistakes.liveFrameFreed',
      'mistakes.sharedSeenAsWritten',
      'mistakes.siblingReadAsWritten',
    ]);
    for (const { because } of differing) expect(because).toBeTruthy();
  });

  it('leaves no sentence of the list without a lab', () => {
    const used = new Set(cells().map(({ sentence }) => sentence));
    expect(sentences.filter((sentence) => !used.has(sentence))).toEqual([]);
  });
});

describe('the labs', () => {
  it('cover the chapter', () => {
    expect(LABS.map(({ name }) => name)).toEqual(Object.keys(FIGURES));
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

  it('count three holders of a segment as two where the chapter does', () => {
    const machine = new ChapterSegments(false);
    const a = machine.spawn();
    machine.fork(machine.fork(a));
    expect(machine.audit()).toEqual(['segment 1 counts 2, and 3 descriptors lead to it']);
    const right = new ChapterSegments(true);
    right.fork(right.fork(right.spawn()));
    expect(right.audit()).toEqual([]);
  });
});

describe('labs of every machine', () => {
  const everywhere = LABS.filter((candidate) => candidate.everywhere === true);
  const words = { riscv: /satp 0x9000|SFENCE\.VMA|scause 15/, aarch64: /TTBR0_EL1|TLBI VAE1|ESR_EL1 0x9200004f/ };

  it.each(everywhere.map(({ name }) => name))('%s has the same figures on each, told in its own words', (name) => {
    const found = everywhere.find((candidate) => candidate.name === name)!;
    for (const machine of ['riscv', 'aarch64'] as const) {
      const { figures, steps, machine: told } = runLab(found, machine);
      expect(figures).toEqual(lab(name).figures);
      expect(told).toBe(machine);
      const evidence = steps.flatMap((step) => step.evidence).join('\n');
      expect(evidence).toMatch(words[machine]);
      expect(evidence).not.toMatch(/#PF|INVLPG|CR3/);
    }
  });

  it('are three', () => {
    expect(everywhere.map(({ name }) => name)).toEqual(['kinds', 'fork', 'mapped-file']);
  });
});
