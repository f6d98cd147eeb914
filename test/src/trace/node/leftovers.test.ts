import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { makeFolder, partialOf, sweepFolders, sweepPartials } from '../../../../src/trace/node/leftovers.js';

let folder: string;
/** Of a process that has ended, and of one that lives on. */
const dead = spawnSync(process.execPath, ['-e', '']).pid;
const living = process.ppid;

beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv('TMPDIR', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

it('removes the partial traces of the dead beside the output, and nothing else', async () => {
  const kept = [
    `a.pwt.${living}.partial`,
    basename(partialOf('a.pwt')),
    `abpwt.${dead}.partial`,
    `b.pwt.${dead}.partial`,
    `a.pwt.${dead}.partial.gz`,
    'a.pwt.partial',
    'a.pwt',
  ];
  for (const name of [...kept, `a.pwt.${dead}.partial`]) writeFileSync(join(folder, name), 'x');
  await sweepPartials(join(folder, 'a.pwt'));
  expect(readdirSync(folder).sort()).toEqual(kept.sort());
});

it('leaves a folder that has the name of a partial trace', async () => {
  mkdirSync(join(folder, `a.pwt.${dead}.partial`));
  await sweepPartials(join(folder, 'a.pwt'));
  expect(readdirSync(folder)).toHaveLength(1);
});

it('removes the pipes of the dead, but neither those of the living nor what somebody put there', async () => {
  const own = basename((await makeFolder()).folder);
  const names = [`pagewalk-record-${dead}-abcdef`, `pagewalk-record-${living}-abcdef`, 'pagewalk-record-abcdef'];
  const full = `pagewalk-record-${dead}-more`;
  for (const name of [...names, full]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'accesses'), '');
  }
  writeFileSync(join(folder, full, 'mine'), '');
  await sweepFolders();
  expect(readdirSync(folder).sort()).toEqual([own, names[1], names[2], full].sort());
  expect(readdirSync(join(folder, full))).toEqual(['mine']);
});
