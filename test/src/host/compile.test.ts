import { execFileSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi, afterEach } from 'vitest';
import { compiled, type Source } from '../../../src/host/compile.js';
import { temporaryFolder } from '../../folder.js';
import { hasCompiler } from './compiler.js';

let folder: string;
let cache: string;
const withCompiler = it.skipIf(!hasCompiler);

beforeEach(() => {
  folder = temporaryFolder();
  cache = join(folder, 'cache', 'pagewalk');
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function source(text: string): Source {
  const path = join(folder, 'seven.c');
  writeFileSync(path, text);
  return { path, kind: 'program', name: 'the test program' };
}

withCompiler('a program is compiled once, and again when its source or what it is for changes', async () => {
  const seven = source('#include <stdio.h>\nint main(void) { puts("7"); }');
  const path = await compiled(seven);
  expect(execFileSync(path, { encoding: 'utf8' })).toBe('7\n');
  const { ino } = statSync(path);
  expect(await compiled(seven)).toBe(path);
  expect(statSync(path).ino).toBe(ino);
  const others = [await compiled({ ...seven, key: '8.2' }), await compiled(source('int main(void) { return 7; }'))];
  expect(new Set([path, ...others]).size).toBe(3);
  expect(readdirSync(cache)).toHaveLength(3);
});

withCompiler('two that compile the same at once get one file', async () => {
  const seven = source('int main(void) { return 7; }');
  const [one, other] = await Promise.all([compiled(seven), compiled(seven)]);
  expect(one).toBe(other);
  expect(readdirSync(cache)).toHaveLength(1);
});

withCompiler('source that does not compile is told with its name and leaves nothing', async () => {
  await expect(compiled(source('int main(void) {'))).rejects.toThrow(
    /could not compile the test program into '.*': .*seven\.c/,
  );
  expect(readdirSync(cache)).toEqual([]);
});

it('a missing compiler and a cache that cannot be are told with their fix', async () => {
  const seven = source('int main(void) { return 7; }');
  vi.stubEnv('CC', 'no-such-compiler');
  await expect(compiled(seven)).rejects.toThrow(
    /'no-such-compiler' is missing, and the test program .* apt-get install gcc/,
  );
  vi.stubEnv('XDG_CACHE_HOME', seven.path);
  await expect(compiled(seven)).rejects.toThrow(/cannot be put into .* with XDG_CACHE_HOME/);
});
