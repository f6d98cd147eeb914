import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEGV_ACCERR } from '../../../../src/kernel/abi/signal.js';
import { swapOut } from '../../../../src/segments/arena/allocation.js';
import { Multics } from '../../../../src/segments/multics/multics.js';
import type { MulticsProcess } from '../../../../src/segments/multics/process.js';
import { entryFrom } from '../../../../src/segments/multics/rings.js';
import { boot, KIB } from '../machine.js';
import { runs } from '../../../runs.js';

const ENTRY = 0x10;
const BRACKETS: readonly [number, number, number][] = [
  [0, 0, 5],
  [1, 1, 5],
  [1, 5, 5],
  [4, 4, 4],
  [2, 4, 6],
  [3, 6, 7],
];
const DATA: [number, number, number] = [3, 5, 5];
const NAMES = BRACKETS.map((_, i) => `p${i}`);

interface Modelled {
  readonly process: MulticsProcess;
  /** The procedures that have been called and have not returned, and the ring of each. */
  readonly calls: { name: string; ring: number }[];
}

function system(): Multics {
  const multics = new Multics(boot(128 * KIB));
  const links = NAMES.map((segment) => ({ segment, symbol: 'main' }));
  NAMES.forEach((name, i) => {
    const symbols = { main: ENTRY };
    expect(multics.define({ name, kind: 'procedure', brackets: BRACKETS[i], bytes: 64, symbols, links })).toBe(0);
  });
  multics.define({ name: 'data', kind: 'data', brackets: DATA, bytes: 64 });
  return multics;
}

/** A process in the procedure with this number, in the outermost ring to execute it. */
function login(multics: Multics, at: number): Modelled {
  const process = multics.login();
  if (typeof process === 'number') throw new Error(`no process: ${process}`);
  const [, ring] = BRACKETS[at];
  expect(multics.start(process, NAMES[at], ring)).toBe(0);
  return { process, calls: [{ name: NAMES[at], ring }] };
}

function call(multics: Multics, { process, calls }: Modelled, link: number): void {
  const { ring } = calls[calls.length - 1];
  const [r1, r2, r3] = BRACKETS[link];
  const entry = entryFrom(ring, { r1, r2, r3 });
  const status = multics.call(process, link);
  expect(status).toBe(entry === 'refused' ? SEGV_ACCERR : 0);
  if (entry !== 'refused') calls.push({ name: NAMES[link], ring: entry === 'gate' ? r2 : ring });
}

const step = fc.record({
  what: fc.constantFrom('call', 'call', 'call', 'return', 'load', 'store', 'compact', 'swap', 'login'),
  who: fc.nat(5),
  n: fc.nat(100),
});

describe('random calls, returns and accesses', () => {
  it('run where the brackets say, while segments move and are swapped out', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const multics = system();
        const processes = [login(multics, 3)];
        let stored = 0;
        for (const { what, who, n } of steps) {
          const modelled = processes[who % processes.length];
          const { process, calls } = modelled;
          const { ring } = calls[calls.length - 1];
          if (what === 'call' && calls.length < 20) call(multics, modelled, n % BRACKETS.length);
          if (what === 'return' && calls.length > 1) {
            expect(multics.return(process)).toBe(0);
            calls.pop();
          }
          if (what === 'load') {
            expect(multics.load(process, 'data', 5)).toBe(ring <= DATA[1] ? 0 : SEGV_ACCERR);
            if (ring <= DATA[1]) expect(multics.kernel.valueLo).toBe(stored);
          }
          if (what === 'store') {
            expect(multics.store(process, 'data', 5, n)).toBe(ring <= DATA[0] ? 0 : SEGV_ACCERR);
            if (ring <= DATA[0]) stored = n;
          }
          const { memory } = multics.kernel;
          const present = [...memory.segments].filter((segment) => segment.present);
          if (what === 'compact') multics.kernel.compact();
          if (what === 'swap') swapOut(memory, present[n % present.length]);
          if (what === 'login' && processes.length < 4) processes.push(login(multics, n % BRACKETS.length));
          for (const each of processes) {
            const { name, ring: runsIn } = each.calls[each.calls.length - 1];
            expect([each.process.known[each.process.procedure].named?.name, each.process.ring]).toEqual([name, runsIn]);
          }
          expect(multics.kernel.audit()).toEqual([]);
        }
      }),
      { numRuns: runs(60) },
    );
  });
});
