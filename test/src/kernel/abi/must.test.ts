import { describe, expect, it } from 'vitest';
import { PAGE_FAULT } from '../../../../hw/base/fault.js';
import { faultName, GENERAL_PROTECTION } from '../../../../hw/x86/exception.js';
import { EACCES, EINVAL, errnoName } from '../../../../src/kernel/abi/errno.js';
import { must } from '../../../../src/kernel/abi/must.js';
import { SEGV_ACCERR, SEGV_MAPERR } from '../../../../src/kernel/abi/signal.js';
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

describe('must', () => {
  it('passes on what is no error', () => {
    expect(must(0)).toBe(0);
    expect(must<string>('made')).toBe('made');
  });

  it.each([
    [EACCES, errnoName, 'EACCES'],
    [SEGV_ACCERR, errnoName, 'SIGSEGV (SEGV_ACCERR)'],
    [GENERAL_PROTECTION, faultName, '#GP general protection'],
    [PAGE_FAULT, faultName, '#PF page fault'],
  ])('says of %i by %o that it is %s', (result, nameOf, name) => {
    expect(() => must(result, nameOf)).toThrow(new Error(`a step that had to succeed was refused: ${name}`));
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
