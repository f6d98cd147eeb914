import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DIFFICULTIES, QUIZ_MACHINES, TOPICS } from '../../../src/quiz/exercise.js';
import type { Difficulty, Exercise, Topic } from '../../../src/quiz/exercise.js';
import { makeExercises, makeQuiz, quizText, topicsAbout } from '../../../src/quiz/quiz.js';
import { runs } from '../../runs.js';

const seeds = fc.nat(2 ** 32 - 1);

function exercise(topic: Topic, kind: string, seed: number): Exercise {
  return makeExercises(topic, seed).find((candidate) => candidate.kind === kind)!;
}

/** Holds for the exercise of any seed. */
function always(topic: Topic, kind: string, holds: (exercise: Exercise) => void, sample = 25): void {
  fc.assert(
    fc.property(seeds, (seed) => {
      holds(exercise(topic, kind, seed));
    }),
    { numRuns: runs(sample) },
  );
}

test('the same seed makes the same sheet, another seed another one', () => {
  expect(makeQuiz(undefined, 3, true)).toEqual(makeQuiz(undefined, 3, true));
  expect(makeExercises('paging', 3)).not.toEqual(makeExercises('paging', 4));
});

test('an exercise does not depend on the other topics asked for', () => {
  const all = makeExercises(undefined, 9);
  for (const topic of TOPICS) {
    expect(makeExercises(topic, 9)).toEqual(all.filter((candidate) => candidate.topic === topic));
  }
  expect(new Set(all.map(({ topic }) => topic)).size).toBe(TOPICS.length);
});

test('without --solve neither sheet nor JSON gives the answers away', () => {
  const sheet = makeQuiz('cow', 1, false);
  const { answer } = exercise('cow', 'copies', 1);
  expect(JSON.stringify(sheet)).not.toContain(answer);
  expect(quizText(sheet)).not.toContain(answer);
  expect(quizText(makeQuiz('cow', 1, true))).toContain(answer);
});

test('no line is wider than a terminal', () => {
  for (let seed = 0; seed < 4; seed++) {
    const lines = quizText(makeQuiz(undefined, seed, true)).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  }
});

test('a sheet has as many exercises as are wanted, the first round being the usual one, and none twice', () => {
  const usual = makeExercises(undefined, 5);
  const many = makeExercises(undefined, 5, { count: 3 * usual.length });
  expect(many.slice(0, usual.length)).toEqual(usual);
  expect(many).toHaveLength(3 * usual.length);
  const cow = makeExercises('cow', 5, { count: 8 });
  expect(new Set(cow.map(({ given }) => given.join())).size).toBe(8);
  expect(makeExercises('tlb', 5, { count: 1 })).toEqual(makeExercises('tlb', 5).slice(0, 1));
});

test('a harder exercise has more to it, and the same seed makes it again', () => {
  const steps = (difficulty: Difficulty): number =>
    makeExercises('cow', 4, { difficulty }).reduce((sum, { given }) => sum + given.length, 0);
  expect(steps('easy')).toBeLessThan(steps('medium'));
  expect(steps('medium')).toBeLessThan(steps('hard'));
  const easy = makeExercises('paging', 4, { difficulty: 'easy', count: 20 }).filter(({ kind }) => kind === 'translate');
  expect(easy.filter(({ answer }) => !answer.startsWith('0x'))).toEqual([]);
  expect(makeQuiz(undefined, 4, true, { difficulty: 'hard', count: 9 })).toEqual(
    makeQuiz(undefined, 4, true, { difficulty: 'hard', count: 9 }),
  );
});

test('every kind but two is another one when it is easy, or hard', () => {
  const sheets = DIFFICULTIES.map((difficulty) =>
    [1, 3].flatMap((seed) => makeExercises(undefined, seed, { difficulty })),
  );
  const same = (a: readonly Exercise[], b: readonly Exercise[]): string[] => {
    const kinds = new Map<string, boolean>();
    a.forEach((exercise, i) => {
      const name = `${exercise.topic} ${exercise.kind}`;
      const equal = exercise.question === b[i].question && exercise.given.join() === b[i].given.join();
      kinds.set(name, equal && (kinds.get(name) ?? true));
    });
    return [...kinds].filter(([, equal]) => equal).map(([name]) => name);
  };
  const [easy, medium, hard] = sheets;
  expect([same(easy, medium), same(hard, medium)]).toEqual([[], ['segmentation decode', 'tlb reach']]);
});

test('a machine narrows the sheet to exercises about it, each as it is on the whole sheet', () => {
  const all = makeExercises(undefined, 6);
  const found = QUIZ_MACHINES.map((machine) => makeExercises(undefined, 6, { machine }));
  expect(found.map((sheet) => sheet.map(({ topic, kind }) => `${topic} ${kind}`))).toEqual([
    ['paging translate', 'paging decode', 'segmentation access', 'segmentation decode', 'machines nested'],
    ['machines sv39'],
    ['machines aarch64'],
    ['toy translate', 'toy tlb', 'toy segments'],
  ]);
  for (const exercise of found.flat()) expect(all).toContainEqual(exercise);
  expect(makeExercises('cow', 6, { machine: 'riscv', count: 3 })).toEqual([]);
  expect(topicsAbout('riscv')).toEqual(['machines']);
});

test('hard and easy translations come out by hand as well', () => {
  for (const difficulty of DIFFICULTIES) {
    for (const given of makeExercises('paging', 8, { difficulty, count: 20 })) {
      if (given.kind === 'translate') expect(given.answer).toBe(translateByHand(given));
    }
  }
});

test('a translation says what memory it does not list', () => {
  expect(exercise('paging', 'translate', 1).question).toContain('zero everywhere else');
});

/** Walks by hand what a translation exercise gives. */
function translateByHand({ question, given }: Exercise): string {
  const memory = new Map(given.map((line) => line.split(/: +/)).map(([at, value]) => [at.slice(3), BigInt(value)]));
  const [cr3, linear] = [...question.matchAll(/0x[0-9a-f]+/g)].map(([text]) => BigInt(text));
  const write = question.includes('makes a write');
  const [shifts, bits, bytes] = question.startsWith('32') ? [[22, 12], 10, 4n] : [[39, 30, 21, 12], 9, 8n];
  let table = cr3;
  let rights = 6n;
  for (const shift of shifts) {
    const index = (linear >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
    const entry = memory.get(`0x${(table + index * bytes).toString(16)}`) ?? 0n;
    if ((entry & 1n) === 0n) return `#PF page fault, error code 0x${write ? 6 : 4}`;
    rights &= entry;
    table = entry & 0xf_ffff_ffff_f000n;
  }
  const allowed = (rights & 4n) !== 0n && (!write || (rights & 2n) !== 0n);
  return allowed ? `0x${(table | (linear & 0xfffn)).toString(16)}` : `#PF page fault, error code 0x${write ? 7 : 5}`;
}

test('translations come out by hand as well', () => {
  always('paging', 'translate', (given) => {
    expect(given.answer).toBe(translateByHand(given));
  });
});

test('a decoded entry names the frame and the flags that its digits hold', () => {
  always('paging', 'decode', ({ question, answer }) => {
    const value = BigInt(/0x[0-9a-f]+/.exec(question)![0]);
    const [, what, base, flags] = /^a (page|table) at (0x[0-9a-f]+); flags (.*)$/.exec(answer)!;
    expect((value >> 12n) & 0xff_ffff_ffffn).toBe((BigInt(base) >> 12n) | ((value >> 12n) & 1n & lowBit(base, what)));
    expect(flags.split(' ').includes('R/W')).toBe((value & 2n) !== 0n);
    expect(flags.split(' ').includes('U/S')).toBe((value & 4n) !== 0n);
  });
});

/** Bit 12 of a large page's entry is PAT and no part of the address. */
function lowBit(base: string, what: string): bigint {
  return what === 'page' && BigInt(base) % 0x20_0000n === 0n ? 1n : 0n;
}

/** Plays the story of a copy-on-write exercise with sets of owners. */
function copiesByHand({ question, given }: Exercise): string {
  const pages = Number(/its (\d+) pages/.exec(question)![1]);
  type Frame = Set<string>;
  const memory = new Map<string, { frame: Frame; writable: boolean }[]>();
  memory.set(
    'A',
    Array.from({ length: pages }, () => ({ frame: new Set(['A']), writable: true })),
  );
  let copied = 0;
  let reused = 0;
  for (const line of given) {
    const [, name, deed, object] = /^\d+\. (\w) (forks|writes to page|exits) ?(\w*)$/.exec(line)!;
    const own = memory.get(name)!;
    if (deed === 'forks') {
      for (const page of own) {
        page.writable = false;
        page.frame.add(object);
      }
      memory.set(
        object,
        own.map(({ frame }) => ({ frame, writable: false })),
      );
    } else if (deed === 'exits') {
      for (const { frame } of own) frame.delete(name);
      memory.delete(name);
    } else {
      const page = own[Number(object)];
      if (page.writable) continue;
      if (page.frame.size > 1) {
        page.frame.delete(name);
        page.frame = new Set([name]);
        copied++;
      } else reused++;
      page.writable = true;
    }
  }
  const frames = new Set([...memory.values()].flatMap((own) => own.map(({ frame }) => frame)));
  return `${copied} copied, ${reused} re-used, ${frames.size} frames`;
}

test('copies come out by hand as well', () => {
  always('cow', 'copies', (given) => {
    expect(given.answer).toBe(copiesByHand(given));
  });
});

test('hits of the TLB come out by hand as well', () => {
  always('tlb', 'hits', ({ question, given, answer }) => {
    const [, sets, ways] = /in (\d+) sets? of (\d+) way/.exec(question)!.map(Number);
    const held: number[][] = Array.from({ length: sets }, () => []);
    let hits = 0;
    const pages = given[0].split(' ').map(Number);
    for (const page of pages) {
      const set = held[page % sets];
      const at = set.indexOf(page);
      if (at >= 0) hits += set.splice(at, 1).length;
      else if (set.length === ways) set.shift();
      set.push(page);
    }
    expect(answer.match(/\d+/g)!.map(Number)).toEqual([hits, pages.length - hits]);
  });
});

const KIB = 1024;

test('the fits come out by hand as well', () => {
  always('allocation', 'fits', ({ question, given, answer }) => {
    const sizes = [...question.matchAll(/(\d+) KiB/g)].map(([, kib]) => Number(kib) * KIB);
    const start = given
      .map((line) => line.split(/ +/))
      .map(([base, kib]) => ({ base: Number(base), bytes: Number(kib) * KIB }));
    const orders = {
      first: () => 0,
      best: (hole: { bytes: number }) => hole.bytes,
      worst: (hole: { bytes: number }) => -hole.bytes,
    };
    for (const [fit, key] of Object.entries(orders)) {
      const holes = start.map((hole) => ({ ...hole }));
      const places = sizes.map((bytes) => {
        const chosen = holes
          .filter((hole) => hole.bytes >= bytes)
          .sort((a, b) => key(a) - key(b))
          .at(0);
        if (chosen === undefined) return 'no hole is large enough';
        chosen.base += bytes;
        chosen.bytes -= bytes;
        return `0x${(chosen.base - bytes).toString(16)}`;
      });
      expect(answer).toContain(`${fit} fit: ${places[0]}, ${places[1]} and ${places[2]}`);
    }
  });
});

test('buddy blocks are the next power of two', () => {
  always('allocation', 'buddy', ({ question, answer }) => {
    const [, list] = /Segments of (.*) ask/.exec(question)!;
    const sizes = [...list.matchAll(/(\d+) KiB/g)].map(([, kib]) => Number(kib));
    const blocks = sizes.map((kib) => Math.max(4, 2 ** Math.ceil(Math.log2(kib))));
    const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
    const text = (kib: number): string => (kib === 0 ? '0 bytes' : `${kib} KiB`);
    expect(answer).toBe(`${text(sum(blocks) - sum(sizes))} wasted inside, ${text(256 - sum(blocks))} free`);
  });
});

test('what a segment exercise answers is an address or an exception', () => {
  always('segmentation', 'access', ({ answer, reasoning }) => {
    const failed = reasoning.some((line) => line.startsWith('NO'));
    expect(answer).toMatch(failed ? /^#\w\w .*, error code 0x[0-9a-f]+$/ : /^0x[0-9a-f]+$/);
  });
});

test('lines that are broken go on under their text', () => {
  const segmentation = quizText(makeQuiz('segmentation', 2, true));
  expect(segmentation).toContain(
    '  NO          all 2 bytes, 0x1fc2 to 0x1fc3, lie inside 0x2000 to 0xffffffff:\n              #GP(0x0)\n',
  );
  expect(quizText(makeQuiz('paging', 1, true))).toContain('A D\n              in the PT entry\n');
});

test('a row too long for the sheet goes on under its last column', () => {
  const exercise = { topic: 'tlb', kind: 'x', question: 'q', given: [`a  b${' c'.repeat(45)}`] } as const;
  const [, , first, second] = quizText({ ...makeQuiz('tlb', 1, false), exercises: [exercise] }).split('\n');
  expect([first, second].map((line) => line.search(/[bc]/))).toEqual([5, 5]);
});
