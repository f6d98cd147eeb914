/** Finds the program behind a command as Linux does. QEMU needs it, since it takes only the path of an ELF file. */

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** An ELF file with its words, the first of them its name. */
export interface Program {
  readonly path: string;
  readonly argv: readonly [string, ...string[]];
}

/** Linux goes on through so many scripts, each the interpreter of another: execve(2), "Interpreter scripts". */
const SCRIPTS = 4;
const HEAD_BYTES = 512;
/** The machines to emulate with QEMU, each for its own programs: ELF's e_machine, and the emulator's name. */
const MACHINES: Partial<Record<NodeJS.Architecture, { readonly elf: number; readonly name: string }>> = {
  x64: { elf: 62, name: 'x86_64' },
  arm64: { elf: 183, name: 'aarch64' },
};

/** QEMU's name for this machine, such as `x86_64`; undefined if the plugin does not know it. */
export function machineName(): string | undefined {
  return MACHINES[process.arch]?.name;
}

/** The file that a command's first word means; undefined when there is none to execute: execvp(3). */
export function findFile(name: string): string | undefined {
  const folders = name.includes('/') ? [''] : (process.env.PATH ?? '/bin:/usr/bin').split(delimiter);
  return folders.map((folder) => (folder === '' ? name : join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function headOf(path: string): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

/**
 * @returns the program; or in words why QEMU cannot run it: there is none, it is for another machine, or it gets other
 *   rights than ours
 */
export function findProgram([name, ...args]: readonly [string, ...string[]]): Program | string {
  let path = findFile(name);
  if (path === undefined) return `there is no program '${name}'`;
  let argv: [string, ...string[]] = [name, ...args];
  for (let scripts = 0; ; scripts++) {
    try {
      if ((statSync(path).mode & 0o6000) !== 0) return `'${path}' runs with the rights of its owner`;
      const head = headOf(path);
      if (head.toString('latin1', 0, 4) === '\x7fELF') {
        const native = head[4] === 2 && head.length > 20 && head.readUInt16LE(18) === MACHINES[process.arch]?.elf;
        return native ? { path, argv } : `'${path}' is a program for another machine`;
      }
      const line = /^#![ \t]*([^ \t\n]+)[ \t]*([^\n]*?)[ \t]*(?:\n|$)/.exec(head.toString());
      if (line === null || scripts === SCRIPTS) return `'${path}' is no program`;
      const [, interpreter, argument] = line;
      argv = [interpreter, ...(argument === '' ? [] : [argument]), path, ...argv.slice(1)];
      path = interpreter;
    } catch (error) {
      return `'${path}' cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`;
    }
  }
}
