/**
 * The programs of `npm run bench -- --reality`: kernels of known shape, and programs of others if they are installed.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Random } from '../../hw/base/random.js';
import { packageFile } from '../../src/host/package-file.js';

export interface RealProgram {
  readonly name: string;
  /** Its name in the table of `--against`. */
  readonly published: string;
  readonly command: readonly string[];
}

/** The folder of the sources. */
const SOURCES = packageFile('bench/reality');
const MIB = 2 ** 20;
const KERNELS: readonly (readonly [name: string, published: string, kernel: string, bytes: number, count: number])[] = [
  ['updates in 512 MiB', 'gups512M', 'update', 512 * MIB, 20_000_000],
  ['chase in 32 MiB', 'chase32M', 'chase', 32 * MIB, 15_000_000],
  ['tree of 700,000 nodes', 'tree1M', 'tree', 32 * MIB, 800_000],
  ['updates in a huge page', 'rmw2M', 'hot', 2 * MIB, 500_000_000],
  ['triad over 384 MiB', 'stream384M', 'triad', 384 * MIB, 10],
];

function installed(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** Nine megabytes of words, some of them common and most of them rare: a compressor looks for their repeats. */
function writeText(path: string): void {
  const random = new Random(7);
  const letters = 'etaoinshrdlu';
  const word = (): string =>
    Array.from({ length: 3 + random.below(7) }, () => letters.charAt(random.below(letters.length))).join('');
  const words = Array.from({ length: 60_000 }, word);
  const parts: string[] = [];
  for (let bytes = 0; bytes < 9_000_000; bytes += parts[parts.length - 1].length) {
    // A power of a number below 1 is mostly small.
    parts.push(`${words[Math.floor(random.unit() ** 4 * words.length)]} `);
  }
  writeFileSync(path, parts.join(''));
}

/** Builds kernels and inputs, in `folder`. Programs not installed are left out, and named in `missing`. */
export function realPrograms(folder: string): { programs: RealProgram[]; missing: string[] } {
  const kernels = join(folder, 'kernels');
  execFileSync('cc', ['-O2', '-o', kernels, join(SOURCES, 'kernels.c')]);
  const programs = KERNELS.map(([name, published, kernel, bytes, count]) => {
    return { name, published, command: [kernels, kernel, String(bytes), String(count)] };
  });
  const missing: string[] = [];
  const add = (program: string, name: string, published: string, command: (path: string) => string[]): void => {
    const path = installed(program);
    if (path === undefined) missing.push(program);
    else programs.push({ name, published, command: command(path) });
  };
  add('python3', 'python3, a dictionary', 'pydict', (path) => {
    // A shim of a version manager is a shell script: the program itself is asked for.
    const real = execFileSync(path, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    return [real, join(SOURCES, 'dictionary.py')];
  });
  add('sqlite3', 'sqlite3, an index', 'sqlite', (path) => [path, ':memory:', `.read ${join(SOURCES, 'database.sql')}`]);
  add('zstd', 'zstd -13 --long=27', 'zstd13', (path) => {
    const text = join(folder, 'text');
    writeText(text);
    return [path, '-13', '--long=27', '-f', '-q', text, '-o', join(folder, 'text.zst')];
  });
  return { programs, missing };
}
