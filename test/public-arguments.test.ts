/** Callers in plain JavaScript: a missing or wrong argument is an error that names it, never one of V8's own words. */

import { describe, expect, it } from 'vitest';
import * as pagewalk from '../src/index.js';

/** Their arguments are words of a machine, or what the package itself gave: they are called per instruction or line. */
const UNCHECKED = [
  ...['abortOf', 'trapOf', 'decodeEntry', 'flagNames', 'describeException', 'describeStale', 'translationCycles'],
  ...['farCall', 'farJump', 'farReturn', 'loadAccessRights', 'loadGdt', 'loadLdt', 'loadSegment', 'loadSegmentLimit'],
  ...['loadTaskRegister', 'setSegmentBase', 'verifyRead', 'verifyWrite', 'fromBigInt'],
];

type AnyFunction = (...args: readonly unknown[]) => unknown;
const FUNCTIONS = Object.entries(pagewalk).flatMap(([name, value]): [string, AnyFunction][] =>
  typeof value === 'function' ? [[name, value as unknown as AnyFunction]] : [],
);

/** Calls it, or makes one. */
function use(name: string, args: readonly unknown[]): unknown {
  const value = (pagewalk as unknown as Record<string, AnyFunction>)[name];
  if (!Function.prototype.toString.call(value).startsWith('class')) return value(...args);
  return Reflect.construct(value, args);
}

async function errorOf(name: string, args: readonly unknown[]): Promise<string> {
  try {
    await use(name, args);
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
}

/** The words of V8 about values that are not what the code took them for. */
const OF_V8 = /^Cannot |is not iterable|is not a function|is not a constructor|undefined is not|null is not/;

describe.each([
  ['no argument', []],
  ['an empty object', [{}]],
  ['null', [null]],
  ['a number', [5]],
  ['text', ['x']],
])('every public constructor and function with %s', (_what, args) => {
  it.each(FUNCTIONS.filter(([name]) => !UNCHECKED.includes(name)))('says what is wrong: %s', async (name) => {
    expect(await errorOf(name, args)).not.toMatch(OF_V8);
  });
});

const ram = new pagewalk.Ram({ bytes: 2 ** 20 });
const mmu = new pagewalk.Mmu({ ram });
const tlb = pagewalk.parseTlb('16x4');
const state = pagewalk.demoState('4l');
const machine = pagewalk.buildMachine(state);
const costs = pagewalk.DEFAULT_COSTS;

/** An object that each takes as its last argument, all of its fields required, and the arguments before. */
const OPTIONS: readonly [string, Record<string, unknown>, before?: readonly unknown[]][] = [
  ['Ram', { bytes: 4096 }],
  ['Mmu', { ram }],
  ['Hart', { ram }],
  ['Pe', { ram }],
  ['Kernel', { processor: new pagewalk.Core(mmu) }],
  ['ToyMachine', { virtualBits: 6, physicalBits: 7, memoryBytes: 128 }],
  ['openWorkload', { footprint: 4096, accesses: 8 }, ['stream']],
  ['compare', { sources: [], tlb }],
  ['countTraces', { sources: [], tlb }],
  ['forkCost', { resident: 4096, pages: [12], touch: 0, exec: true }],
  ['sweep', { traces: [], l1: [], l2: [], shifts: [], walkCaches: true, workers: 1, costs }],
  ['buildMachine', { ...state }],
  ['explainWalk', { hi: 0, lo: 0, access: 'read', user: true }, [mmu]],
  ['explainNestedWalk', { hi: 0, lo: 0, access: 'read', user: true }, [mmu]],
  ['explainSegment', { selector: 0x23, hi: 0, lo: 0, access: 'read', register: 3, size: 4 }, [machine]],
  ['packSegment', { base: 0, limit: 0, type: 3, privilege: 0 }],
  ['packCallGate', { offset: 0, selector: 8, parameters: 0, type: 12, privilege: 0 }],
  [
    'record',
    {
      command: ['true'],
      output: '/dev/null',
      engine: 'auto',
      skip: 0,
      limit: 1,
      fetches: false,
      windows: 'whole',
      onProgress: () => undefined,
      signal: AbortSignal.abort(),
    },
  ],
];

const REQUIRED = OPTIONS.flatMap(([name, good, before = []]) =>
  Object.keys(good)
    .filter((field) => field !== 'about' && field !== 'schemaVersion')
    .flatMap((field) =>
      [undefined, null, {}, '4096']
        .filter((wrong) => typeof wrong !== 'string' || typeof good[field] !== 'string')
        .map((wrong) => [name, field, wrong, [...before, { ...good, [field]: wrong }]] as const),
    ),
);

it.each(REQUIRED)('%s refuses %s %s, and names both', async (name, field, wrong, args) => {
  const message = await errorOf(name, args);
  expect(message).not.toMatch(OF_V8);
  expect(message).toContain(field);
  // Of an object in place of another, a field may be told to be missing.
  expect(message).toMatch(typeof wrong === 'string' ? wrong : /null|\{…\}|undefined/);
});

const MENDED: readonly [name: string, args: readonly unknown[], message: string][] = [
  ['Mmu', [{}], 'Mmu: options.ram undefined: must be a Ram, such as new Ram({ bytes: 2 ** 24 })'],
  ['Mmu', [{ ram, tlb: 'zen4' }], "Mmu: options.tlb 'zen4': must be a shape, such as parseTlb('zen4')"],
  ['Mmu', [{ ram, maxPhysicalBits: '40' }], "maxPhysicalBits '40': must be a whole number from 36 to 52"],
  ['Mmu', [{ ram, tlb: { l1Data: [], l1Instruction: [] } }], 'L2 TLB undefined: must be an array'],
  ['Core', [ram], 'Core: mmu Ram {…}: must be an Mmu, a Hart or a Pe, such as new Mmu({ ram })'],
  ['Kernel', [{ processor: mmu }], 'Kernel: options.processor Mmu {…}: must be a processor'],
  ['Ram', [{ ranges: [{ base: 0, bytes: '4096' }] }], "RAM range (base 0, bytes '4096'): base and bytes must be"],
  ['ToyMachine', [{ virtualBits: 6, physicalBits: 7, memoryBytes: 64, paging: {} }], 'pages.levels undefined: must be'],
  [
    'compare',
    [{ sources: ['app.pwt'], tlb }],
    "compare: options.sources ['app.pwt']: must be an array, each an object",
  ],
  ['compare', [{ sources: [], tlb, machine: 'arm' }], "machine 'arm': must be 'x86' or 'riscv' or 'aarch64'"],
  ['countTraces', [{ sources: [], tlb, machine: 'arm' }], "machine 'arm': must be 'x86' or 'riscv' or 'aarch64'"],
  ['forkCost', [{ resident: 4096, pages: ['4K'], touch: 0, exec: true }], "pages '4K': must be 12 or 21 or 30"],
  ['runLab', ['fork'], "runLab: lab 'fork': must be a lab, such as LABS.find"],
  ['demoState', [], "mode undefined: must be '4l' or '5l' or 'pae' or '32'"],
  ['pricesFor', [tlb], 'pricesFor: tlb {…}: must be a string'],
  ['compareText', [Promise.resolve()], 'result Promise {…}: must be what await compare(…) gives'],
  ['AccessBlock', [8], 'AccessBlock: words 8: must be an Int32Array'],
];

// Arguments are no part of a title: vitest would write all words of their RAM.
it.each(MENDED.map(([name, args, message]) => [name, message, args] as const))(
  '%s says how to mend it: %s',
  async (name, message, args) => {
    expect(await errorOf(name, args)).toContain(message);
  },
);

it('a kernel takes no errno, and no number of a process, for a process', () => {
  const kernel = new pagewalk.Kernel({ processor: new pagewalk.Core(mmu) });
  const process = pagewalk.ENOMEM as unknown as pagewalk.Process;
  expect(() => kernel.load(process, 0, 1)).toThrow(`process ${pagewalk.ENOMEM}: must be a process`);
  expect(() => kernel.munmap(process, 0, 4096)).toThrow(TypeError);
  expect(() => kernel.spawn('2M' as unknown as object)).toThrow("spawn: options '2M': must be an object with pages");
});
