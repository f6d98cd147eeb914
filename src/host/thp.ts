/** What decides over huge pages on this machine. Source: Linux Documentation/admin-guide/mm/transhuge.rst. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TryResult } from '../report/try-result.js';

const run = promisify(execFile);

const FOLDER = '/sys/kernel/mm/transparent_hugepage';
/** The first version of glibc with the tunable glibc.malloc.hugetlb. Source: glibc's NEWS, "Version 2.35". */
const FIRST_TUNABLE = 35;

export type HugePageSystem = TryResult['system'];

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The word in brackets: `always [madvise] never`. Each size has a file of its own since Linux 6.8; it may say `inherit`. */
export function settingIn(all: string, ofSize: string): HugePageSystem['setting'] {
  const word = (text: string): string => /\[(\w+)\]/.exec(text)?.[1] ?? 'inherit';
  const setting = word(ofSize) === 'inherit' ? word(all) : word(ofSize);
  return setting === 'always' || setting === 'madvise' ? setting : 'never';
}

async function getconf(name: string): Promise<string> {
  try {
    return (await run('getconf', [name])).stdout.trim();
  } catch {
    return '';
  }
}

/** @param folder with the settings of the kernel */
export async function hugePageSystem(folder = FOLDER): Promise<HugePageSystem> {
  const hugePageBytes = Number(read(join(folder, 'hpage_pmd_size'))) || 2 ** 21;
  const [pageSize, library] = await Promise.all([getconf('PAGESIZE'), getconf('GNU_LIBC_VERSION')]);
  return {
    setting: settingIn(
      read(join(folder, 'enabled')),
      read(join(folder, `hugepages-${hugePageBytes / 1024}kB`, 'enabled')),
    ),
    basePageBytes: Number(pageSize) || 4096,
    hugePageBytes,
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
