/** Reads the settings for huge pages of this machine: the only part of the room for Linux and Node alone. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePolicy } from './policy.js';
import type { HugePolicy, PolicyTexts } from './policy.js';

const THP = 'sys/kernel/mm/transparent_hugepage';

/** Bytes of a transparent huge page: of one entry of the second-lowest table. */
export function hugePageBytes(root = '/'): number {
  try {
    return Number(readFileSync(join(root, THP, 'hpage_pmd_size'), 'utf8'));
  } catch {
    return 2 ** 21;
  }
}

/**
 * @param pid the process whose PR_SET_THP_DISABLE counts
 * @param root the folder with proc and sys in it
 */
export function readPolicy(pid: number, root = '/'): HugePolicy {
  const files: Record<keyof PolicyTexts, string> = {
    enabled: `${THP}/enabled`,
    enabledHuge: `${THP}/hugepages-${hugePageBytes(root) / 1024}kB/enabled`,
    shmem: `${THP}/shmem_enabled`,
    maxPtesNone: `${THP}/khugepaged/max_ptes_none`,
    mounts: 'proc/mounts',
    status: `proc/${pid}/status`,
  };
  const texts: Partial<Record<keyof PolicyTexts, string>> = {};
  for (const key of Object.keys(files) as (keyof PolicyTexts)[]) {
    try {
      texts[key] = readFileSync(join(root, files[key]), 'utf8');
    } catch {
      // Older kernels lack some of these files: parsePolicy has a meaning for each.
    }
  }
  return parsePolicy(texts);
}
