import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explainProcError, InspectError, ProcessGone } from '../../../../src/inspect/proc-files.js';
import { liveSampler } from '../../../../src/inspect/watch/sampler.js';
import { temporaryFolder } from '../../../folder.js';
import { PLAIN } from '../../regions/processes.js';
import { stillProcess } from './still-process.js';

/** A folder such as /proc with process 7 in it. */
function procWith(smaps: string, status = 'State:\tS (sleeping)\n'): string {
  const proc = temporaryFolder();
  mkdirSync(join(proc, '7'));
  writeFileSync(join(proc, '7', 'smaps'), smaps);
  writeFileSync(join(proc, '7', 'maps'), smaps);
  writeFileSync(join(proc, '7', 'status'), status);
  writeFileSync(join(proc, '7', 'clear_refs'), '');
  return proc;
}

describe.runIf(process.platform === 'linux')('a sampler', () => {
  test('clears by writing 1, and reads what was referenced since', () => {
    const proc = procWith(PLAIN);
    const sampler = liveSampler(7, proc);
    sampler.clear();
    expect(readFileSync(join(proc, '7', 'clear_refs'), 'utf8')).toBe('1');
    expect(sampler.read().map(({ referenced }) => referenced / 2 ** 20)).toEqual([8, 24, 20, 1, 1]);
  });

  test.each<[string, string, string, RegExp]>([
    ['a kernel thread', '', 'State:\tS (sleeping)\n', /no memory to look at: it is a kernel thread/],
    ['a zombie', '', 'State:\tZ (zombie)\n', /no memory to look at: it has ended/],
  ])('of %s is refused in words', (_, smaps, status, message) => {
    expect(() => liveSampler(7, procWith(smaps, status))).toThrow(message);
  });

  test('of a process that is not there is refused in words', () => {
    expect(() => liveSampler(4_194_303)).toThrow(
      new ProcessGone('PID 4194303: there is no such process, or it has ended'),
    );
  });

  test('tells a process that has ended from one that must not be looked at', () => {
    const proc = procWith(PLAIN);
    const sampler = liveSampler(7, proc);
    writeFileSync(join(proc, '7', 'smaps'), '');
    expect(() => sampler.read()).toThrow(ProcessGone);
    rmSync(join(proc, '7'), { recursive: true });
    expect(() => {
      sampler.clear();
    }).toThrow(ProcessGone);
    expect(() => sampler.read()).toThrow(ProcessGone);
  });
});

test.each(['EACCES', 'EPERM'])('%s is told as a missing permission, with what to do', (code) => {
  const error = Object.assign(new Error(code), { code });
  expect(explainProcError(7, error, 'clear its referenced bits')).toEqual(
    new InspectError('PID 7: no permission to clear its referenced bits; run as its user, or as root'),
  );
});

test.runIf(process.platform === 'linux')('a process that stands still has used nothing of its own', async () => {
  const child = await stillProcess();
  try {
    const sampler = liveSampler(child.pid);
    sampler.clear();
    const own = sampler.read().filter(({ kind }) => kind === 'heap' || kind === 'anonymous' || kind === 'stack');
    expect(own.some(({ resident }) => resident > 0)).toBe(true);
    expect(own.map(({ referenced }) => referenced)).toEqual(own.map(() => 0));
  } finally {
    child.kill('SIGKILL');
  }
});
