import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { StateError } from '../../../src/explain/state-form.js';
import { DIFFICULTIES } from '../../../src/quiz/exercise.js';
import type { Exercise, Topic } from '../../../src/quiz/exercise.js';
import { makeExercises, makeGivenQuiz, quizText } from '../../../src/quiz/quiz.js';
import { runs } from '../../runs.js';

/** Holds for the exercise of any seed and difficulty. */
function always(topic: Topic, kind: string, holds: (exercise: Exercise) => void, sample = 25): void {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.constantFrom(...DIFFICULTIES), (seed, difficulty) => {
      holds(makeExercises(topic, seed, { difficulty }).find((candidate) => candidate.kind === kind)!);
    }),
    { numRuns: runs(sample) },
  );
}

function solved(numbers: object): Exercise {
  return makeGivenQuiz(numbers, true).exercises[0] as Exercise;
}

function numbersIn(text: string): number[] {
  return (text.match(/0x[0-9a-f]+|\d+/g) ?? []).map(Number);
}

/** Walks the tables of an exercise by its words and rows alone. */
function translateByHand({ question, given }: Exercise): string {
  const memory = new Map<number, number>();
  for (const line of given.filter((row) => /^0x[0-9a-f]+ +([0-9a-f]{2} ?){16}$/.test(row))) {
    const [at, ...bytes] = line.split(/ +/);
    for (const [i, byte] of bytes.entries()) memory.set(Number(at) + i, parseInt(byte, 16));
  }
  const pageBytes = Number(/Pages have (\d+) bytes/.exec(question)![1]);
  const address = Number(/program reads (0x[0-9a-f]+)/.exec(question)![1]);
  const virtualBits = Number(/have (\d+) bits/.exec(question)![1]);
  const page = Math.floor(address / pageBytes);
  let table = Number(/begins at (0x[0-9a-f]+)/.exec(question)![1]);
  const two = /has (\d+) and (\d+) bits/.exec(question)?.slice(1).map(Number);
  const widths = two ?? [virtualBits - Math.log2(pageBytes)];
  const indices = widths.length === 2 ? [Math.floor(page / 2 ** widths[1]), page % 2 ** widths[1]] : [page];
  for (const [depth, index] of indices.entries()) {
    const entry = memory.get(table + index) ?? 0;
    const name = depth === indices.length - 1 ? 'page table' : 'page directory';
    if (entry < 0x80) return `page fault: the entry of the ${name} is not valid`;
    table = (entry % 32) * pageBytes;
  }
  const physical = table + (address % pageBytes);
  const byte = (memory.get(physical) ?? 0).toString(16).padStart(2, '0');
  return `0x${physical.toString(16)}, the byte there is 0x${byte}`;
}

test('toy translations come out by hand as well', () => {
  always('toy', 'translate', (exercise) => {
    expect(exercise.answer).toBe(translateByHand(exercise));
  });
});

test('a TLB of a toy exercise hits if a row has set and tag of the page, and changes no answer', () => {
  always('toy', 'tlb', (exercise) => {
    const { question, given, answer } = exercise;
    const pageBytes = Number(/Pages have (\d+) bytes/.exec(question)![1]);
    const page = Math.floor(Number(/program reads (0x[0-9a-f]+)/.exec(question)![1]) / pageBytes);
    const sets = Number(/TLB of (\d+) sets/.exec(question)![1]);
    const hit = given.some((row) => {
      const [set, tag, ...rest] = row.split(/ +/).map(Number);
      return rest.length === 1 && set === page % sets && tag === Math.floor(page / sets);
    });
    expect(answer).toBe(`a ${hit ? 'hit' : 'miss'}; ${translateByHand(exercise)}`);
  });
});

test('segments of a toy exercise come out by hand as well', () => {
  always('toy', 'segments', ({ question, given, answer }) => {
    const bits = Number(/have (\d+) bits/.exec(question)![1]);
    const rows = given.slice(1).map((row) => row.split(/ +/));
    const size = 2 ** bits / rows.length;
    const address = Number(/program reads (0x[0-9a-f]+)/.exec(question)![1]);
    const number = Math.floor(address / size);
    const [, base, limit, grows] = rows[number];
    const offset = (address % size) - (grows === 'down' ? size : 0);
    const inside = grows === 'down' ? -offset <= Number(limit) : offset < Number(limit);
    const refused = grows === 'down' ? `is beyond ${limit}` : `is not below ${limit}`;
    const after = grows === 'down' ? ', which grows down' : '';
    expect(answer).toBe(
      inside
        ? `0x${(Number(base) + offset).toString(16)}`
        : `segmentation violation: offset ${offset} ${refused}, the limit of segment ${number}${after}`,
    );
  });
});

test('hits of a reference string come out by hand as well, for the policies that need no memory of their own', () => {
  const seen = new Set<string>();
  always(
    'replacement',
    'references',
    ({ question, given, answer, reasoning }) => {
      const policy = /under (\w+)/.exec(question)![1];
      seen.add(policy);
      const frames = Number(/has (\d+) frames/.exec(question)![1]);
      const references = given[0].split(' ').map(Number);
      const draws = given.length > 1 ? numbersIn(given[1]) : [];
      const memory: number[] = [];
      let hits = 0;
      for (const [at, page] of references.entries()) {
        const place = memory.indexOf(page);
        if (place >= 0) hits++;
        if (policy === 'clock') {
          // No sum by hand: the row must say a hit if the page is in the memory of the row before.
          const before = at === 0 ? [] : reasoning[at - 1].split('memory ')[1].split(' ').map(Number);
          expect(reasoning[at].includes(' hit ')).toBe(before.includes(page));
          memory.splice(0, memory.length, ...reasoning[at].split('memory ')[1].split(' ').map(Number));
          continue;
        }
        if (place >= 0) {
          if (policy === 'LRU') memory.push(...memory.splice(place, 1));
          continue;
        }
        if (memory.length === frames) {
          const later = memory.map((held) => {
            const next = references.indexOf(held, at + 1);
            return next < 0 ? references.length : next;
          });
          const gone = { FIFO: 0, LRU: 0, random: draws.shift()!, the: later.lastIndexOf(Math.max(...later)) }[policy]!;
          memory.splice(gone, 1);
        }
        memory.push(page);
      }
      expect(numbersIn(answer)).toEqual([hits, references.length - hits]);
    },
    200,
  );
  expect([...seen].sort()).toEqual(['FIFO', 'LRU', 'clock', 'random', 'the']);
});

test('no block is freed that was not to be had', () => {
  // The last of the blocks of this seed's draw finds no hole.
  const exercises = makeExercises('allocation', 4294967273, { difficulty: 'hard' });
  const { given } = exercises.find(({ kind }) => kind === 'free-list')!;
  expect(given.slice(1).length).toBeLessThan(14);
});

test('the list of holes comes out by hand as well', () => {
  always('allocation', 'free-list', ({ question, given, answer }) => {
    const fit = /by (\w+) fit/.exec(question)![1];
    const align = Number(/multiples of (\d+)/.exec(question)?.[1] ?? 1);
    const header = Number(/header of (\d+)/.exec(question)?.[1] ?? 0);
    let holes = [{ at: 1000, size: 100 }];
    const blocks: { at: number; size: number }[] = [];
    for (const request of given.slice(1)) {
      const [number, bytes] = numbersIn(request);
      if (!request.startsWith('free')) {
        const size = Math.ceil(bytes / align) * align + header;
        const fitting = holes.filter((hole) => hole.size >= size);
        const key = {
          first: () => 0,
          best: (hole: { size: number }) => hole.size,
          worst: (hole: { size: number }) => -hole.size,
        }[fit]!;
        const chosen = [...fitting].sort((a, b) => key(a) - key(b)).at(0);
        blocks.push({ at: chosen?.at ?? -1, size });
        if (chosen === undefined) continue;
        chosen.at += size;
        chosen.size -= size;
        holes = holes.filter((hole) => hole.size > 0);
      } else if (question.includes('front')) holes.unshift({ ...blocks[number] });
      else holes.push({ ...blocks[number] });
      if (request.startsWith('free') && question.includes('by address')) holes.sort((a, b) => a.at - b.at);
      if (request.startsWith('free') && question.includes('smallest')) holes.sort((a, b) => a.size - b.size);
    }
    expect(answer).toBe(`holes in the end: ${holes.map(({ at, size }) => `${at}:${size}`).join(' ') || 'none'}`);
  });
});

test('the size of tables is that of the tables a machine would have', () => {
  always('paging', 'table-size', ({ question, given, answer, reasoning }) => {
    const widths = numbersIn(/indexed by (.*) bits/.exec(question)![1]);
    const pages = given[0].split(' ').map(Number);
    const unit = (text: string): number =>
      Number(/[\d,]+/.exec(text)![0].replaceAll(',', '')) *
      (text.includes('KiB') ? 2 ** 10 : text.includes('MiB') ? 2 ** 20 : text.includes('GiB') ? 2 ** 30 : 1);
    const entry = unit(/entries ([^.]*)\./.exec(question)![1]);
    const bits = widths.reduce((sum, width) => sum + width, 0);
    let below = 0;
    let all = 0;
    for (const width of [...widths].reverse()) {
      below += width;
      all +=
        new Set(
          pages.map((page) =>
            page
              .toString(2)
              .padStart(bits, '0')
              .slice(0, bits - below),
          ),
        ).size *
        2 ** width *
        entry;
    }
    const [, one, many] = /^one level: (.*); \d levels: (.*)$/.exec(answer)!;
    expect([unit(one), unit(many)]).toEqual([2 ** bits * entry, all]);
    expect(reasoning).toHaveLength(widths.length + 2);
  });
});

test('the average access is between a hit and a miss, nearer to the hit by the share of hits', () => {
  always('tlb', 'access-time', ({ question, answer, reasoning }) => {
    const [tlb, memory] = numbersIn(question);
    const levels = Number(/have (\d+) levels/.exec(question)?.[1] ?? 1);
    const percent = Number(/(\d+)% of/.exec(question)![1]);
    const mean = tlb + memory + (1 - percent / 100) * levels * memory;
    expect(Number.parseFloat(answer)).toBeCloseTo(mean, 2);
    expect(reasoning.at(-1)).toContain(`= ${answer}`);
  });
});

describe('exercises of others, given as numbers', () => {
  it('OSTEP, paging-policy.py -s 0 -n 10 -p LRU: 2 hits, 8 misses', () => {
    const references = [8, 7, 4, 2, 5, 4, 7, 3, 4, 5];
    const { answer, reasoning } = solved({ kind: 'references', policy: 'lru', frames: 3, references });
    expect(answer).toBe('2 hits, 8 misses');
    expect(reasoning[5]).toBe('6.   page 4  hit                memory 2 5 4');
  });

  it('OSTEP, malloc.py -S 100 -b 1000 -H 0 -a 4 -l ADDRSORT -p BEST -n 10 -s 0', () => {
    const requests = ['+3', '-0', '+5', '-1', '+8', '-2', '+8', '-3', '+2', '+7'];
    const { answer, reasoning } = solved({ kind: 'free-list', fit: 'best', align: 4, holes: [[1000, 100]], requests });
    const places = reasoning.flatMap((row) => /at (\d+)/.exec(row)?.[1] ?? []);
    expect(places).toEqual(['1000', '1004', '1004', '1004', '1000', '1004']);
    expect(answer).toBe('holes in the end: 1012:88');
  });

  it('Johns Hopkins CS 418: 5 ns TLB, 100 ns memory, 80 % hits make 125 ns', () => {
    expect(solved({ kind: 'access-time', tlbNs: 5, memoryNs: 100, hitPercent: 80 }).answer).toBe('125 ns');
  });

  it('GATE CS 2003: five pages need 16 KiB of tables in two levels of 10 bits', () => {
    const pages = [0, 1, 0x400, 0x401, 0xfffff];
    const sizes = { kind: 'table-size', pageBytes: 4096, entryBytes: 4, levels: [10, 10], pages };
    expect(solved(sizes).answer).toBe('one level: 4 MiB; 2 levels: 16 KiB');
  });

  it('holes given apart from each other, as in an exam: 100, 500, 200, 300 and 600 KB, best fit', () => {
    // Silberschatz, Operating System Concepts, exercise on 212, 417, 112 and 426 KB; best fit places them all.
    const holes = [
      [0, 100],
      [101, 500],
      [602, 200],
      [803, 300],
      [1104, 600],
    ];
    const requests = ['+212', '+417', '+112', '+426'];
    const places = (fit: string): number[] =>
      solved({ kind: 'free-list', fit, holes, requests }).reasoning.map((row) =>
        Number(/at (\d+)/.exec(row)?.[1] ?? -1),
      );
    expect(places('best')).toEqual([803, 101, 602, 1104]);
    expect(places('first')).toEqual([101, 1104, 313, -1]);
    expect(places('worst')).toEqual([1104, 101, 1316, -1]);
  });

  it('random replacement takes the places that are given, and asks for those that lack', () => {
    const numbers = { kind: 'references', policy: 'random', frames: 2, references: [1, 2, 3, 4] };
    expect(solved({ ...numbers, draws: [1, 0] }).reasoning.at(-1)).toBe('4.  page 4  miss  1 gives way  memory 3 4');
    expect(() => solved({ ...numbers, draws: [1] })).toThrow('draws: 1 of them; give a place from 0 to 1 for each');
    expect(() => solved({ ...numbers, draws: [2, 0] })).toThrow('draws: 2; give a place from 0 to 1 for each');
  });
});

test('holes in the list coalesce only when asked', () => {
  const numbers = { kind: 'free-list', fit: 'first', holes: [[0, 20]], requests: ['+5', '+5', '-0', '-1'] };
  expect(solved(numbers).answer).toBe('holes in the end: 0:5 5:5 10:10');
  expect(solved({ ...numbers, coalesce: true }).answer).toBe('holes in the end: 0:20');
});

test('a sheet of given numbers asks, and answers when told to', () => {
  const numbers = { kind: 'references', policy: 'fifo', frames: 1, references: [1, 2] };
  expect(quizText(makeGivenQuiz(numbers, false))).toMatch(
    /^1\. replacement: references\n[^]*\nAsked: hits; misses\n\nAnswers: .* --solve\. To have [^]* FILE\.\n$/,
  );
  expect(quizText(makeGivenQuiz(numbers, true))).toContain('Answer: 0 hits, 2 misses\n');
});

test.each<[unknown, string]>([
  [{ kind: 'cats' }, "kind: expected 'references', 'free-list', 'access-time' or 'table-size', found 'cats'"],
  [
    { kind: 'table-size', pageBytes: 4096, entryBytes: 8, levels: [28, 28], pages: [0] },
    'levels: 56 bits and 12 of the offset; give at most 64 together',
  ],
  [
    { kind: 'access-time', tlbNs: 1e10, memoryNs: 1, hitPercent: 50 },
    'tlbNs: expected a number of at most 1000000000, found 10000000000',
  ],
  [[], 'expected an object such as {"kind": "references", "policy": "lru", "frames": 3'],
  [
    { kind: 'references', policy: 'fifo', frames: 0, references: [1] },
    'frames: expected a number of at least 1, found 0',
  ],
  [{ kind: 'references', policy: 'mru', frames: 1, references: [1] }, "policy: expected 'fifo', 'lru'"],
  [
    { kind: 'references', policy: 'fifo', frames: 1, references: [1], page: 1 },
    "there is no field 'page'; there are kind, policy, frames, references",
  ],
  [
    {
      kind: 'free-list',
      fit: 'best',
      holes: [
        [0, 10],
        [5, 5],
      ],
      requests: ['+1'],
    },
    'holes.1 5: begins before 10',
  ],
  [{ kind: 'free-list', fit: 'best', holes: [[0, 10]], requests: ['1'] }, 'requests.0: expected "+10" for a request'],
  [{ kind: 'free-list', fit: 'best', holes: [[0, 10]], requests: ['+0'] }, 'requests.0 +0: must ask for 1 byte'],
  [
    { kind: 'free-list', fit: 'best', holes: [[0, 10]], requests: ['+1', '-1'] },
    'requests.1 -1: block 1 is not in use',
  ],
  [{ kind: 'access-time', tlbNs: 1, memoryNs: 1, hitPercent: 101 }, 'hitPercent: expected a number of at most 100'],
  [{ kind: 'table-size', pageBytes: 100, entryBytes: 4, levels: [4], pages: [1] }, 'pageBytes 100: must be a power'],
  [
    { kind: 'table-size', pageBytes: 64, entryBytes: 4, levels: [4], pages: [16] },
    'pages.0 16: must be a whole number',
  ],
])('numbers such as %j are refused', (numbers, words) => {
  expect(() => makeGivenQuiz(numbers, true)).toThrow(StateError);
  expect(() => makeGivenQuiz(numbers, true)).toThrow(words);
});
