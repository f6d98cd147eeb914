import { describe, expect, it } from 'vitest';
import { ENOENT } from '../../../../src/kernel/abi/errno.js';
import { SEGV_ACCERR } from '../../../../src/kernel/abi/signal.js';
import { Multics } from '../../../../src/segments/multics/multics.js';
import type { MulticsProcess } from '../../../../src/segments/multics/process.js';
import { boot, KIB } from '../machine.js';

const ENTRY = 0x20;

/** `hcs_` and `ms_` are gates, `ls` runs where its caller does, `program` is the user's; `text` is data of ring 4. */
function system(): Multics {
  const multics = new Multics(boot(256 * KIB));
  const procedure = (name: string, brackets: [number, number, number], calls: string[]): void => {
    const links = calls.map((segment) => ({ segment, symbol: segment === 'nothing' ? 'nowhere' : 'main' }));
    const symbols = { main: ENTRY };
    expect(multics.define({ name, kind: 'procedure', brackets, bytes: 256, symbols, links })).toBe(0);
  };
  procedure('hcs_', [0, 0, 5], []);
  procedure('ms_', [1, 1, 5], ['hcs_']);
  procedure('ls', [1, 5, 5], ['hcs_', 'text', 'ms_']);
  procedure('program', [4, 4, 4], ['hcs_', 'ms_', 'ls', 'secret', 'nothing', 'ls']);
  procedure('secret', [0, 0, 0], []);
  procedure('outer', [6, 6, 6], ['hcs_', 'ls']);
  multics.define({ name: 'text', kind: 'data', brackets: [2, 4, 4], bytes: 64 });
  return multics;
}

function login(multics: Multics): MulticsProcess {
  const process = multics.login();
  if (typeof process === 'number') throw new Error(`no process: ${process}`);
  return process;
}

function running(multics: Multics, name: string, ring: number): MulticsProcess {
  const process = login(multics);
  expect(multics.start(process, name, ring)).toBe(0);
  return process;
}

function nameOf(process: MulticsProcess): string | undefined {
  return process.known[process.procedure].named?.name;
}

describe('dynamic linking', () => {
  it('faults at the first call, and calls directly afterwards', () => {
    const multics = system();
    const process = running(multics, 'program', 4);
    expect(multics.call(process, 2)).toBe(0);
    expect([nameOf(process), process.offset, process.ring]).toEqual(['ls', ENTRY, 4]);
    expect(multics.return(process)).toBe(0);
    expect(nameOf(process)).toBe('program');
    const { linkFaults } = multics.kernel.counters;
    const { exceptions } = multics.kernel.memory.core;
    expect(multics.call(process, 2)).toBe(0);
    expect(multics.kernel.counters.linkFaults).toBe(linkFaults);
    expect(multics.kernel.memory.core.exceptions).toBe(exceptions);
    expect(multics.kernel.audit()).toEqual([]);
  });

  it('snaps one link only: another link to the same routine faults on its own', () => {
    const multics = system();
    const process = running(multics, 'program', 4);
    for (const link of [2, 5]) {
      expect(multics.call(process, link)).toBe(0);
      expect(multics.return(process)).toBe(0);
    }
    expect(multics.kernel.counters.linkFaults).toBe(2);
    expect(process.known.filter((known) => known.named?.name === 'ls')).toHaveLength(1);
  });

  it('keeps the procedure pure: two processes share it, and each has its links and its numbers', () => {
    const multics = system();
    const first = running(multics, 'program', 4);
    multics.initiate(first, 'text');
    expect(multics.call(first, 2)).toBe(0);
    const second = running(multics, 'program', 4);
    expect(multics.call(second, 2)).toBe(0);
    expect(multics.kernel.counters.linkFaults).toBe(2);
    expect(first.numberOf('ls')).not.toBe(second.numberOf('ls'));
    const segmentOf = (process: MulticsProcess): unknown => {
      const number = process.numberOf('ls') ?? -1;
      return process.rings[4]?.table.entries[number]?.segment;
    };
    expect(segmentOf(first)).toBe(segmentOf(second));
    expect(segmentOf(first)).toBeDefined();
    expect(multics.return(first)).toBe(0);
    expect(multics.return(second)).toBe(0);
    expect([nameOf(first), nameOf(second)]).toEqual(['program', 'program']);
    expect(multics.kernel.audit()).toEqual([]);
  });

  it('says when there is no such segment', () => {
    const multics = system();
    const process = running(multics, 'program', 4);
    expect(multics.call(process, 4)).toBe(ENOENT);
    expect(nameOf(process)).toBe('program');
  });
});

describe('rings', () => {
  it('let a call through a gate into the inner ring, and back', () => {
    const multics = system();
    const process = running(multics, 'program', 4);
    process.offset = 0x10;
    multics.kernel.memory.core.unit.ipLo = 0x10;
    expect(multics.call(process, 1)).toBe(0);
    expect([nameOf(process), process.ring]).toEqual(['ms_', 1]);
    expect(multics.call(process, 0)).toBe(0);
    expect([nameOf(process), process.ring]).toEqual(['hcs_', 0]);
    expect(multics.return(process)).toBe(0);
    expect([nameOf(process), process.ring]).toEqual(['ms_', 1]);
    expect(multics.return(process)).toBe(0);
    expect([nameOf(process), process.ring, process.offset]).toEqual(['program', 4, 0x10]);
    expect(process.gateFrames).toEqual([]);
    expect(multics.kernel.audit()).toEqual([]);
  });

  it('return to the caller in its own ring, even where its code could run in the inner one', () => {
    const multics = system();
    const process = running(multics, 'program', 4);
    expect(multics.call(process, 2)).toBe(0);
    expect([nameOf(process), process.ring]).toEqual(['ls', 4]);
    expect(multics.call(process, 2)).toBe(0);
    expect([nameOf(process), process.ring]).toEqual(['ms_', 1]);
    expect(multics.return(process)).toBe(0);
    expect([nameOf(process), process.ring]).toEqual(['ls', 4]);
  });

  it('refuse procedures without a gate for the caller, and callers from too far out', () => {
    const multics = system();
    const process = running(multics, 'program', 4);
    expect(multics.call(process, 3)).toBe(SEGV_ACCERR);
    expect([nameOf(process), process.ring]).toEqual(['program', 4]);
    const far = running(multics, 'outer', 6);
    expect(multics.call(far, 0)).toBe(SEGV_ACCERR);
    expect(multics.call(far, 1)).toBe(SEGV_ACCERR);
    expect(multics.kernel.audit()).toEqual([]);
  });

  it('let in at entry points only', () => {
    const multics = system();
    multics.define({
      name: 'sly',
      kind: 'procedure',
      brackets: [4, 4, 4],
      bytes: 64,
      links: [{ segment: 'hcs_', symbol: 'main' }],
    });
    const process = running(multics, 'sly', 4);
    expect(multics.call(process, 0)).toBe(0);
    expect(multics.return(process)).toBe(0);
    // The program changes its own snapped link, which lies in its ring, to point past the entry.
    const linkage = [...process.linkage.values()].at(-1) ?? -1;
    multics.writePair(process, linkage, 0, ENTRY + 4, ((process.numberOf('hcs_') ?? 0) << 3) | 7);
    expect(multics.call(process, 0)).toBe(SEGV_ACCERR);
    expect(process.ring).toBe(4);
  });

  it.each([
    [0, true, true],
    [2, true, true],
    [3, true, false],
    [4, true, false],
    [5, false, false],
  ])('give ring %i its rights to data of brackets 2,4,4', (ring, reads, writes) => {
    const multics = system();
    const process = running(multics, ring < 1 ? 'hcs_' : ring < 6 ? 'ls' : 'outer', ring);
    expect(multics.load(process, 'text', 3)).toBe(reads ? 0 : SEGV_ACCERR);
    expect(multics.store(process, 'text', 3, 1)).toBe(writes ? 0 : SEGV_ACCERR);
    expect(multics.kernel.audit()).toEqual([]);
  });

  it('go when the process does', () => {
    const multics = system();
    const before = multics.kernel.memory.segments.size;
    const process = running(multics, 'program', 4);
    multics.call(process, 1);
    multics.logout(process);
    expect(multics.kernel.memory.segments.size).toBe(before);
    expect(multics.kernel.audit()).toEqual([]);
  });
});
