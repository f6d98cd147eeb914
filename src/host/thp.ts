/** The settings for huge pages on this machine, for the programs it starts. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hugePageBytes, readPolicy } from '../regions/host.js';
import type { TryResult } from '../report/results/try-result.js';

const run = promisify(execFile);

const FOLDER = '/sys/kernel/mm/transparent_hugepage';
/** The first version of glibc with the tunable glibc.malloc.hugetlb. Source: glibc's NEWS, "Version 2.35". */
const FIRST_TUNABLE = 35;

export type HugePageSystem = TryResult['system'];

async function getconf(name: string): Promise<string> {
  try {
    return (await run('getconf', [name])).stdout.trim();
  } catch {
    return '';
  }
}

/** @param root the folder with proc and sys in it */
export async function hugePageSystem(root = '/'): Promise<HugePageSystem> {
  const [pageSize, library] = await Promise.all([getconf('PAGESIZE'), getconf('GNU_LIBC_VERSION')]);
  return {
    setting: readPolicy(process.pid, root).enabled,
    basePageBytes: Number(pageSize) || 4096,
    hugePageBytes: hugePageBytes(root),
    glibc: /^glibc (\S+)$/.exec(library)?.[1] ?? null,
  };
}

/** glibc's malloc asks for huge pages when its tunable says so. */
export function hasTunable({ glibc }: HugePageSystem): boolean {
  const [major, minor] = (glibc ?? '0.0').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= FIRST_TUNABLE);
}

/** Why there are no huge pages at all, and the fix; undefined when they may be had. */
export function whyNoHugePages({ setting }: HugePageSystem): string | undefined {
  if (process.platform !== 'linux') return `huge pages are tried out on Linux only, and this is ${process.platform}`;
  if (setting !== 'never') return undefined;
  return (
    `${FOLDER}/enabled says never, and pagewalk changes no setting; as root: echo madvise > ${FOLDER}/enabled ` +
    '(until the next start; transparent_hugepage=madvise on the command line of the kernel keeps it)'
  );
}
