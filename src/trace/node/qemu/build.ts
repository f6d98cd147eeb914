/** Compiles the plugin once for each of its versions and QEMU's, into the user's cache. */

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EngineError } from '../engine.js';

const run = promisify(execFile);

/** Beside this source; or, when this runs compiled from dist, in the sources that the package carries too. */
function sourcePath(): string {
  const beside = new URL('plugin.c', import.meta.url);
  return fileURLToPath(
    existsSync(beside) ? beside : new URL('../../../../../src/trace/node/qemu/plugin.c', import.meta.url),
  );
}

/** XDG Base Directory Specification, "Environment variables": a relative path there is to be ignored. */
function cacheFolder(): string {
  const given = process.env.XDG_CACHE_HOME ?? '';
  return join(given.startsWith('/') ? given : join(homedir(), '.cache'), 'pagewalk');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * The plugin for this QEMU, compiled where it was not yet.
 * @param qemu what `--version` says
 * @throws EngineError when there is no compiler, it fails, or the cache cannot be written
 */
export async function builtPlugin(qemu: string): Promise<string> {
  const source = sourcePath();
  const hash = createHash('sha256')
    .update(await readFile(source))
    .update(`${qemu} ${process.arch}`)
    .digest('hex');
  const folder = cacheFolder();
  const plugin = join(folder, `qemu-${hash.slice(0, 16)}.so`);
  if (existsSync(plugin)) return plugin;
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new EngineError(
      `the plugin for QEMU cannot be put into '${folder}' (${codeOf(error)}); name another folder with XDG_CACHE_HOME`,
    );
  }
  // Two recordings may begin at once: each compiles into a file of its own, and the last rename wins.
  const partial = `${plugin}.${randomUUID()}.partial`;
  const compiler = process.env.CC ?? 'cc';
  try {
    await run(compiler, ['-O2', '-std=gnu11', '-fPIC', '-shared', '-o', partial, source]);
    await rename(partial, plugin);
  } catch (error) {
    await rm(partial, { force: true });
    throw whyNotBuilt(error, compiler, folder);
  }
  return plugin;
}

function whyNotBuilt(error: unknown, compiler: string, folder: string): EngineError {
  if (codeOf(error) === 'ENOENT') {
    return new EngineError(
      `the C compiler '${compiler}' is missing, and QEMU needs a plugin compiled; install it: apt-get install gcc ` +
        'libc6-dev on Debian and Ubuntu, dnf install gcc on Fedora, pacman -S gcc on Arch; or name one with CC',
    );
  }
  const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
  return new EngineError(
    `'${compiler}' could not compile the plugin for QEMU into '${folder}': ${words.split('\n')[0]}`,
  );
}
