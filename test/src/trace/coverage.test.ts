import { describe, expect, it } from 'vitest';
import { programsOf, sharesOf } from '../../../src/trace/coverage.js';

const process = (pid: number, program: string, accesses?: number) => ({ pid, program, accesses });

describe('sharesOf', () => {
  it('adds up the address spaces of a program, and names the largest first', () => {
    const processes = [
      process(1, '/bin/sh', 10),
      process(2, '/bin/sh', 20),
      process(2, '/usr/bin/python3', 70),
      process(1, '/bin/true'),
    ];
    expect(sharesOf(processes)).toEqual([
      { program: 'python3', addressSpaces: 1, share: 0.7 },
      { program: 'sh', addressSpaces: 2, share: expect.closeTo(0.3) as number },
      { program: 'true', addressSpaces: 1, share: 0 },
    ]);
  });
});

describe('programsOf', () => {
  it('counts a child once whether it goes on with another program or not, and each further program', () => {
    const began = [
      { pid: 1, origin: 'command' },
      { pid: 2, origin: 'fork' },
      { pid: 3, origin: 'fork' },
      { pid: 3, origin: 'exec' },
      { pid: 1, origin: 'exec' },
    ] as const;
    expect(programsOf(began)).toBe(4);
  });
});
