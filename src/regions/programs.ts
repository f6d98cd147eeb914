/** Which allocator or runtime manages a process's memory: told by the program's name and the libraries in it. */

import type { Region } from './region.js';

interface Signature {
  /** Of the program's name, as /proc/PID/comm has it. */
  readonly program?: RegExp;
  /** Of a mapped file's name, without its folder. */
  readonly library?: RegExp;
  /** A region begins at this address. */
  readonly address?: number;
}

const SIGNATURES = {
  Redis: [{ program: /^(redis|valkey)-server/ }],
  PostgreSQL: [{ program: /^(postgres|postmaster)$/ }],
  MySQL: [{ program: /^(mysqld|mariadbd)$/ }],
  MongoDB: [{ program: /^mongod$/ }],
  JVM: [{ library: /^libjvm\.so/ }],
  // Its heap begins there on 64-bit machines. Source: Go, runtime/malloc.go, "mallocinit".
  Go: [{ address: 0xc0_0000_0000 }],
  Node: [{ program: /^node$/ }, { library: /^node$/ }],
  Python: [{ program: /^python/ }, { library: /^(libpython|python)\d/ }],
  jemalloc: [{ library: /^libjemalloc\.so/ }],
  tcmalloc: [{ library: /^libtcmalloc.*\.so/ }],
  mimalloc: [{ library: /^libmimalloc.*\.so/ }],
  glibc: [{ library: /^libc(\.so\.6|-2\.\d+\.so)/ }],
} as const satisfies Readonly<Record<string, readonly Signature[]>>;

export type Runtime = keyof typeof SIGNATURES;

function matches(signature: Signature, program: string, regions: readonly Region[]): boolean {
  const { program: name, library, address } = signature;
  if (name?.test(program) === true) return true;
  return regions.some(({ kind, name: path, start }) => {
    if (start === address) return true;
    return kind === 'library' && library?.test(path.slice(path.lastIndexOf('/') + 1)) === true;
  });
}

/** @param program its name, without a folder */
export function runtimesOf(program: string, regions: readonly Region[]): Set<Runtime> {
  const names = Object.keys(SIGNATURES) as Runtime[];
  return new Set(names.filter((name) => SIGNATURES[name].some((signature) => matches(signature, program, regions))));
}
