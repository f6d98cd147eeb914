import { describe, expect, it } from 'vitest';
import { constants } from 'node:os';
import { PAGE_FAULT } from '../../../../hw/base/fault.js';
import { GENERAL_PROTECTION, isStatus, STATUSES } from '../../../../hw/x86/exception.js';
import { EACCES, EINVAL, ERRNOS, errnoName, errnoNumber, isErrno } from '../../../../src/kernel/abi/errno.js';
import { must } from '../../../../src/kernel/abi/must.js';
import { isSignal, SEGV_ACCERR, SEGV_MAPERR, SIGNALS, signalName } from '../../../../src/kernel/abi/signal.js';
import { ChapterSegments } from '../../../../src/lab/chapter/segments.js';

describe('a result below 0', () => {
  it.each([
    [EINVAL, 'EINVAL'],
    [SEGV_MAPERR, 'SIGSEGV (SEGV_MAPERR)'],
    [-9999, 'error 9999'],
  ])('%i is printed as %s', (result, name) => {
    expect(errnoName(result)).toBe(name);
  });
});

describe('statuses, errnos and signals', () => {
  const results = [...Object.values(STATUSES), ...Object.values(ERRNOS), ...Object.values(SIGNALS)];

  it('have values that are never the same', () => {
    expect(new Set<number>(results).size).toBe(results.length);
    expect(results.filter((result) => result > 0)).toEqual([]);
  });

  it('are each of one kind', () => {
    for (const result of results) {
      const kinds = [isStatus(result), isErrno(result), isSignal(result)];
      expect(kinds.filter(Boolean)).toHaveLength(1);
    }
    expect([isErrno(EINVAL), isSignal(SEGV_MAPERR), isErrno(1), isSignal(1)]).toEqual([true, true, false, false]);
  });

  it.each(Object.entries(ERRNOS))('%s is Linux’s number of that name', (name, error) => {
    expect([errnoName(error), errnoNumber(error)]).toEqual([
      name,
      constants.errno[name as keyof typeof constants.errno],
    ]);
  });

  it.each(Object.entries(SIGNALS))('%s has a name to print', (_name, signal) => {
    expect(signalName(signal)).toMatch(/^SIG[A-Z]+ \(/);
  });
});

describe('must', () => {
  it('passes on what is no error', () => {
    expect(must(0)).toBe(0);
    expect(must<string>('made')).toBe('made');
  });

  it.each([
    [EACCES, 'EACCES'],
    [SEGV_ACCERR, 'SIGSEGV (SEGV_ACCERR)'],
    [GENERAL_PROTECTION, '#GP general protection'],
    [PAGE_FAULT, '#PF page fault'],
  ])('says of %i that it is %s', (result, name) => {
    expect(() => must(result)).toThrow(new Error(`a step that had to succeed was refused: ${name}`));
  });

  it('names the exception that ends a store of the chapter', () => {
    const chapter = new ChapterSegments(true);
    const table = chapter.spawn();
    table.ram.store64(0, table.addressOf(0), 0, 0);
    expect(() => {
      chapter.store(table, 1);
    }).toThrow('#GP general protection');
  });
});
