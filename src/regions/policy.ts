/** The settings of a system for huge pages. Source: Linux Documentation/admin-guide/mm/transhuge.rst. */

const MODES = ['always', 'madvise', 'never'] as const;
const SHMEM_MODES = ['always', 'within_size', 'advise', 'never', 'deny', 'force'] as const;

/** What the system does with anonymous memory by itself. */
export type ThpMode = (typeof MODES)[number];
/** `within_size` may be had by itself, `advise` needs madvise; `deny` and `force` hold for each tmpfs too. */
export type ShmemMode = (typeof SHMEM_MODES)[number];

/** The settings of one system, for one process. */
export interface HugePolicy {
  /** transparent_hugepage/enabled, for pages that one entry of the second-lowest table maps. */
  readonly enabled: ThpMode;
  /** transparent_hugepage/shmem_enabled: memfd, System V shared memory, MAP_SHARED without a file. */
  readonly shmem: ShmemMode;
  /** `huge=` of the tmpfs at /dev/shm. */
  readonly devShm: ShmemMode;
  /** khugepaged/max_ptes_none: so many of 512 pages may be missing, and khugepaged still makes a huge page. */
  readonly maxPtesNone: number;
  /** PR_SET_THP_DISABLE holds for the process. */
  readonly disabled: boolean;
}

/** The settings of a kernel left as it is, and most distributions' choice of `madvise`. */
export const DEFAULT_POLICY: HugePolicy = {
  enabled: 'madvise',
  shmem: 'never',
  devShm: 'never',
  maxPtesNone: 511,
  disabled: false,
};

/** Texts of the files with the settings; undefined for missing files. */
export interface PolicyTexts {
  readonly enabled?: string;
  /** hugepages-2048kB/enabled, or of another size: it may say `inherit`. Kernels before 6.8 have none. */
  readonly enabledHuge?: string;
  readonly shmem?: string;
  readonly maxPtesNone?: string;
  /** /proc/mounts */
  readonly mounts?: string;
  /** /proc/PID/status of the process in question. */
  readonly status?: string;
}

/** The word in brackets: `always [madvise] never`; undefined if there is none, or none of `words`. */
function chosen<T extends string>(words: readonly T[], text = ''): T | undefined {
  const word = /\[(\w+)\]/.exec(text)?.[1];
  return words.find((known) => known === word);
}

function devShmMode(mounts = ''): ShmemMode | undefined {
  const options = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(mounts)?.[1].split(',') ?? [];
  const huge = options.find((option) => option.startsWith('huge='))?.slice('huge='.length);
  return SHMEM_MODES.find((mode) => mode === huge);
}

/** Reads the settings from their files' texts. A kernel without transparent_hugepage/ gives no huge pages. */
export function parsePolicy(texts: PolicyTexts): HugePolicy {
  const { enabled, enabledHuge, shmem, maxPtesNone, mounts, status = '' } = texts;
  const pages = Number(maxPtesNone ?? NaN);
  return {
    enabled: chosen(MODES, enabledHuge) ?? chosen(MODES, enabled) ?? 'never',
    shmem: chosen(SHMEM_MODES, shmem) ?? 'never',
    devShm: devShmMode(mounts) ?? DEFAULT_POLICY.devShm,
    maxPtesNone: Number.isInteger(pages) ? pages : DEFAULT_POLICY.maxPtesNone,
    disabled: /^THP_enabled:\s+0$/m.test(status),
  };
}
