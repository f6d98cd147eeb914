import { readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../folder.js';
import { writeFileWhole } from '../../../../src/report/output/write-file.js';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

test('the file holds the text, and nothing lies beside it', () => {
  writeFileWhole(join(folder, 'a.csv'), 'new');
  expect(readFileSync(join(folder, 'a.csv'), 'utf8')).toBe('new');
  expect(readdirSync(folder)).toEqual(['a.csv']);
});

test('an older file is replaced, a symbolic link to it stays', () => {
  writeFileSync(join(folder, 'real.csv'), 'old');
  symlinkSync('real.csv', join(folder, 'link.csv'));
  writeFileWhole(join(folder, 'link.csv'), 'new');
  expect(readlinkSync(join(folder, 'link.csv'))).toBe('real.csv');
  expect(readFileSync(join(folder, 'real.csv'), 'utf8')).toBe('new');
});

test('a folder that does not exist is an error, and nothing is written', () => {
  expect(() => {
    writeFileWhole(join(folder, 'none', 'a.csv'), 'new');
  }).toThrow(/ENOENT/);
  expect(readdirSync(folder)).toEqual([]);
});

test('a device is written to, not replaced', () => {
  expect(() => {
    writeFileWhole('/dev/null', 'new');
  }).not.toThrow();
  expect(readFileSync('/dev/null', 'utf8')).toBe('');
});
