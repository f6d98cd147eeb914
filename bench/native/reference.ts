/** The C reference as a rival: built with the compiler of this machine, alive until the end, answering one request at a time. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageFile } from '../../src/host/package-file.js';

/** The folder of the C files. */
const SOURCES = packageFile('bench/native');
const COMPILERS = ['gcc', 'clang', 'cc'];

/** What one run found, of the reference or of a rival. */
export interface Answer {
  /** CPU time; for a path by threads, wall time. */
  readonly nanoseconds: number;
  /** Sum of some of the words loaded, to be compared with everybody else's; 0 for fork. */
  readonly checksum: number;
  /** Counts of a modelled TLB, in a form to be compared; empty where nothing was counted. */
  readonly counts: string;
}

export interface Reference {
  readonly compiler: string;
  readonly ask: (path: string, what: string) => Promise<Answer>;
  readonly close: () => void;
}

/**
 * Compiles the C files of a folder below this one into a program.
 * @returns the compiler, in words
 * @throws Error when no compiler is found, or the program does not build
 */
export function compile(folder: string, into: string, libraries: readonly string[] = []): string {
  const cwd = join(SOURCES, folder);
  const files = readdirSync(cwd).filter((name) => name.endsWith('.c'));
  for (const compiler of COMPILERS) {
    const args = ['-O3', '-pthread', '-o', into, ...files, ...libraries];
    const built = spawnSync(compiler, args, { cwd, encoding: 'utf8' });
    if (built.error !== undefined) continue;
    if (built.status !== 0) throw new Error(`${compiler} cannot build the reference:\n${built.stderr}`);
    return `${spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]}, -O3`;
  }
  throw new Error(`no C compiler (${COMPILERS.join(', ')}) is installed; install gcc`);
}

/** @throws Error when no compiler is found, or the reference does not build. */
export function startReference(): Reference {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-reference-'));
  const program = join(folder, 'reference');
  let compiler: string;
  try {
    compiler = compile('.', program);
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    compiler,
    ask: async (path, what) => {
      child.stdin.write(`${path} ${what}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`the C reference ended at '${path} ${what}'`);
      const [nanoseconds, checksum, counts = ''] = line.value.split(' ');
      return { nanoseconds: Number(nanoseconds), checksum: Number(checksum), counts };
    },
    close: () => {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}
