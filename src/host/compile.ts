/** Compiles C source of the package with the machine's own compiler, once for each version, into the user's cache. */

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Libraries stand among the code of others, whose vector registers may be in use: the plugin's stores of two words at once
 * took 15 ns each in the midst of QEMU's code, and those of one word nearly nothing.
 */
const FLAGS = { program: [], library: ['-fPIC', '-shared', '-fno-tree-slp-vectorize'] } as const;

/** C source, and the file to be made of it. */
export interface Source {
  /** A file of C; the compiled file has its name. */
  readonly path: string;
  /** Other files of C for it, and headers. */
  readonly others?: readonly string[];
  /** Macros of the preprocessor. */
  readonly defines?: Readonly<Record<string, number>>;
  readonly kind: keyof typeof FLAGS;
  /** In errors: the subject to be compiled, such as `the plugin for QEMU`. */
  readonly name: string;
  /** Other influences on the compiled file, such as a version of another program. */
  readonly key?: string;
}

/** Why source cannot be compiled here, in words for people. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
}

/**
 * The user's folder for files easily made again.
 * Source: XDG Base Directory Specification, "Environment variables": a relative path there is to be ignored.
 */
export function cacheFolder(): string {
  const given = process.env.XDG_CACHE_HOME ?? '';
  return join(given.startsWith('/') ? given : join(homedir(), '.cache'), 'pagewalk');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * The path of the compiled file; it is compiled unless it was before.
 * @throws CompileError when there is no compiler, it fails, or the cache cannot be written
 */
export async function compiled({ path, others = [], defines = {}, kind, name, key = '' }: Source): Promise<string> {
  const files = [path, ...others];
  const macros = Object.entries(defines).map(([macro, value]) => `-D${macro}=${value}`);
  const hash = createHash('sha256')
    .update(Buffer.concat(await Promise.all(files.map((file) => readFile(file)))))
    .update([key, process.arch, ...FLAGS[kind], ...macros].join(' '))
    .digest('hex');
  const folder = cacheFolder();
  const target = join(folder, `${basename(path, '.c')}-${hash.slice(0, 16)}${kind === 'library' ? '.so' : ''}`);
  if (existsSync(target)) return target;
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new CompileError(
      `${name} cannot be put into '${folder}' (${codeOf(error)}); name another folder with XDG_CACHE_HOME`,
    );
  }
  // Two of us may begin at once: each compiles into a file of its own, and the last rename wins.
  const partial = `${target}.${randomUUID()}.partial`;
  const compiler = process.env.CC ?? 'cc';
  try {
    const units = files.filter((file) => file.endsWith('.c'));
    await run(compiler, ['-O2', '-std=gnu11', ...FLAGS[kind], ...macros, '-o', partial, ...units]);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw whyNotCompiled(error, compiler, name, folder);
  }
  return target;
}

function whyNotCompiled(error: unknown, compiler: string, name: string, folder: string): CompileError {
  if (codeOf(error) === 'ENOENT') {
    return new CompileError(
      `the C compiler '${compiler}' is missing, and ${name} has to be compiled; install it: apt-get install gcc ` +
        'libc6-dev on Debian and Ubuntu, dnf install gcc on Fedora, pacman -S gcc on Arch; or name one with CC',
    );
  }
  const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
  return new CompileError(`'${compiler}' could not compile ${name} into '${folder}': ${words.split('\n')[0]}`);
}
