/**
 * Actions for and against huge pages, as data, one a row: the processes and the memory it is for, the setting, the price, the
 * source.
 */

import type { Obstacle } from './backing.js';
import type { ThpMode } from './policy.js';
import type { Runtime } from './programs.js';
import type { RegionKind } from './region.js';

/**
 * The memory of an action, always resident: `asking` could be huge once the program asks, `waiting` may be huge already and is
 * not yet. An obstacle's name stands for the memory kept small by it.
 */
type Share = 'asking' | 'waiting' | Obstacle;

export interface ActionRow {
  readonly id: string;
  readonly title: string;
  /** The setting, command or call. */
  readonly how: string;
  /** For a gain in speed, against wasted memory, or for every such process. */
  readonly purpose: 'gain' | 'waste' | 'always';
  readonly kinds: readonly RegionKind[];
  readonly shares: readonly Share[];
  /** All of these must be in the process. */
  readonly needs?: readonly Runtime[];
  /** None of these may be. */
  readonly unless?: readonly Runtime[];
  /** Only under these settings of transparent_hugepage/enabled. */
  readonly enabled?: readonly ThpMode[];
  /** In memory: rounding up adds some, leaving huge pages off saves as much, a pool is set aside. */
  readonly effect: 'adds' | 'saves' | 'sets aside';
  readonly memory: string;
  readonly fork: string;
  readonly source: string;
}

const THP_DOC = 'Linux Documentation/admin-guide/mm/transhuge.rst';
const PRIVATE: readonly RegionKind[] = ['heap', 'anonymous'];
const MALLOC: readonly RegionKind[] = ['heap', 'anonymous'];
const OTHER_ALLOCATORS: readonly Runtime[] = ['jemalloc', 'tcmalloc', 'mimalloc', 'JVM', 'Go', 'Redis', 'MongoDB'];

const ROUNDED = 'each 2 MiB with a page in it is rounded up, and charged to the cgroup of the process';
const POOL = 'the pool is taken from the system for good, used or not; it is not swapped';
const THP_FORK =
  'fork copies one entry for 2 MiB, not 512; a later write splits the entry and copies 4 KiB (before Linux 5.8: 2 MiB)';
const POOL_FORK =
  'shared pages are not copied; a private one is copied as 2 MiB, and SIGBUS comes when the pool is empty';

/** In the order of the report: the program's own settings, its allocator's, its source, the system's. */
export const ACTIONS: readonly ActionRow[] = [
  {
    id: 'redis',
    title: 'Leave huge pages off in Redis',
    how: 'disable-thp yes in redis.conf (the default since Redis 6.2)',
    purpose: 'always',
    kinds: PRIVATE,
    shares: ['asking', 'waiting', 'disabled', 'setting'],
    needs: ['Redis'],
    effect: 'saves',
    memory: 'with huge pages, one key that stays keeps 2 MiB of expired ones in use',
    fork: 'BGSAVE copies 512 entries for each 2 MiB; in return no write after it has to split an entry, or to copy 2 MiB before Linux 5.8',
    source: 'Redis documentation, "Diagnosing latency issues"',
  },
  {
    id: 'postgresql',
    title: 'Give the shared buffers of PostgreSQL huge pages',
    how: 'huge_pages = on, shared_memory_type = mmap; vm.nr_hugepages = what postgres -C shared_memory_size_in_huge_pages prints',
    purpose: 'gain',
    kinds: ['shared memory'],
    shares: ['asking', 'waiting', 'shmem', 'offset'],
    needs: ['PostgreSQL'],
    effect: 'sets aside',
    memory: POOL,
    fork: 'every connection is a process with page tables of its own: 4 KiB of tables for 2 MiB of buffers fall away in each',
    source: 'PostgreSQL documentation, "Managing Kernel Resources", part "Linux Huge Pages"',
  },
  {
    id: 'mysql',
    title: 'Give the buffer pool of MySQL huge pages',
    how: 'large-pages in my.cnf; vm.nr_hugepages and vm.hugetlb_shm_group; no limit on locked memory (ulimit -l)',
    purpose: 'gain',
    kinds: PRIVATE,
    shares: ['asking', 'setting', 'nohugepage'],
    needs: ['MySQL'],
    effect: 'sets aside',
    memory: POOL,
    fork: POOL_FORK,
    source: 'MySQL Reference Manual, "Enabling Large Page Support"',
  },
  {
    id: 'mongodb',
    title: 'Set huge pages as the version of MongoDB wants them',
    how: '8.0 and later: transparent_hugepage/enabled = always, defrag = defer+madvise, khugepaged/max_ptes_none = 0; before: never',
    purpose: 'always',
    kinds: PRIVATE,
    shares: ['asking', 'waiting', 'setting'],
    needs: ['MongoDB'],
    effect: 'adds',
    memory: ROUNDED,
    fork: 'mongod does not fork while it serves',
    source: 'MongoDB Manual, "TCMalloc Performance Optimization for a Self-Managed Deployment"',
  },
  {
    id: 'java',
    title: 'Let the JVM ask for its heap',
    how: '-XX:+UseTransparentHugePages',
    purpose: 'gain',
    kinds: PRIVATE,
    shares: ['asking'],
    needs: ['JVM'],
    effect: 'adds',
    memory: `${ROUNDED}; -XX:+AlwaysPreTouch takes all of -Xms at the start`,
    fork: THP_FORK,
    source: 'Java Development Kit, "The java Command", part "Large Pages"',
  },
  {
    id: 'java-shared',
    title: 'Let ZGC, whose heap is shared memory, ask for it',
    how: '-XX:+UseTransparentHugePages, and transparent_hugepage/shmem_enabled = advise',
    purpose: 'gain',
    kinds: ['shared memory'],
    shares: ['asking', 'shmem'],
    needs: ['JVM'],
    effect: 'adds',
    memory: ROUNDED,
    fork: 'shared memory is not copied',
    source: 'OpenJDK wiki, "ZGC", part "Enabling Transparent Huge Pages On Linux"',
  },
  {
    id: 'go',
    title: 'Allow huge pages to Go, which asks for none itself',
    how: 'transparent_hugepage/enabled = always, with defrag = defer+madvise and khugepaged/max_ptes_none = 0',
    purpose: 'gain',
    kinds: PRIVATE,
    shares: ['asking', 'setting'],
    needs: ['Go'],
    effect: 'adds',
    memory: `${ROUNDED}; for all programs of the system`,
    fork: THP_FORK,
    source: 'Go documentation, "A Guide to the Go Garbage Collector", part "Linux transparent huge pages (THP)"',
  },
  {
    id: 'go-waste',
    title: 'Keep khugepaged from filling up the heap of Go',
    how: 'khugepaged/max_ptes_none = 0 for the system, or GODEBUG=disablethp=1 for one program (Go 1.21.6 and later)',
    purpose: 'waste',
    kinds: PRIVATE,
    shares: ['waiting'],
    needs: ['Go'],
    effect: 'saves',
    memory: 'charged to the cgroup of the process otherwise',
    fork: 'without huge pages fork copies 512 entries for each 2 MiB',
    source: 'Go documentation, package runtime, "Environment Variables"',
  },
  {
    id: 'jemalloc',
    title: 'Let jemalloc ask',
    how: 'MALLOC_CONF=thp:always (_RJEM_MALLOC_CONF for Rust); a longer dirty_decay_ms breaks up fewer huge pages',
    purpose: 'gain',
    kinds: MALLOC,
    shares: ['asking', 'edges', 'unaligned', 'small'],
    needs: ['jemalloc'],
    effect: 'adds',
    memory: ROUNDED,
    fork: THP_FORK,
    source: 'jemalloc(3), "opt.thp" and "opt.dirty_decay_ms"',
  },
  {
    id: 'mimalloc',
    title: 'Let mimalloc ask',
    how: 'MIMALLOC_ALLOW_LARGE_OS_PAGES=1',
    purpose: 'gain',
    kinds: MALLOC,
    shares: ['asking'],
    needs: ['mimalloc'],
    effect: 'adds',
    memory: ROUNDED,
    fork: THP_FORK,
    source: 'mimalloc documentation, "Environment Options"',
  },
  {
    id: 'python',
    title: "Let Python take its small objects from glibc's heap, and that ask",
    how: 'PYTHONMALLOC=malloc GLIBC_TUNABLES=glibc.malloc.hugetlb=1',
    purpose: 'gain',
    kinds: MALLOC,
    shares: ['asking', 'small', 'unaligned'],
    needs: ['Python', 'glibc'],
    unless: OTHER_ALLOCATORS,
    enabled: ['madvise'],
    effect: 'adds',
    memory: `${ROUNDED}; malloc rounds each object and its header of 8 bytes up to 16`,
    fork: THP_FORK,
    source:
      'Python documentation, "Command line and environment", PYTHONMALLOC; GNU C Library manual, "Memory Allocation Tunables"',
  },
  {
    id: 'glibc',
    title: "Let glibc's malloc ask",
    how: 'GLIBC_TUNABLES=glibc.malloc.hugetlb=1 (glibc 2.35 and later)',
    purpose: 'gain',
    kinds: MALLOC,
    shares: ['asking'],
    needs: ['glibc'],
    unless: [...OTHER_ALLOCATORS, 'Python', 'Node'],
    enabled: ['madvise'],
    effect: 'adds',
    memory: `${ROUNDED}; heap and large blocks only, the arenas of threads since 2.43`,
    fork: THP_FORK,
    source: 'GNU C Library manual, "Memory Allocation Tunables", glibc.malloc.hugetlb',
  },
  {
    id: 'node-code',
    title: "Put Node's own code into huge pages",
    how: 'node --use-largepages=on',
    purpose: 'gain',
    kinds: ['library'],
    shares: ['file'],
    needs: ['Node'],
    effect: 'adds',
    memory: 'the code is copied into anonymous memory, once a process',
    fork: THP_FORK,
    source: 'Node.js documentation, "Command-line API", --use-largepages=mode',
  },
  {
    id: 'madvise',
    title: 'Ask for these regions in the source',
    how: 'madvise(address, length, MADV_HUGEPAGE) before the first write; aligned_alloc(2097152, size) gives whole huge pages',
    purpose: 'gain',
    kinds: PRIVATE,
    shares: ['asking'],
    unless: ['JVM', 'Go', 'Redis'],
    effect: 'adds',
    memory: ROUNDED,
    fork: THP_FORK,
    source: 'Linux manual pages, madvise(2), MADV_HUGEPAGE',
  },
  {
    id: 'align',
    title: 'Map these regions at multiples of 2 MiB',
    how: 'mmap 2 MiB more than needed and use the aligned part, or map one large region for several small ones; from Linux 6.7 on mmap aligns 2 MiB and more by itself',
    purpose: 'gain',
    kinds: PRIVATE,
    shares: ['unaligned', 'guard'],
    unless: ['JVM', 'Go', 'Redis', 'jemalloc', 'Python'],
    effect: 'adds',
    memory: ROUNDED,
    fork: THP_FORK,
    source: `${THP_DOC}, part "Optimizing the applications"`,
  },
  {
    id: 'nohugepage',
    title: 'Find out why the program refuses',
    how: 'look for MADV_NOHUGEPAGE or MAP_STACK in its source; madvise(MADV_HUGEPAGE) takes it back',
    purpose: 'gain',
    kinds: PRIVATE,
    shares: ['nohugepage'],
    unless: ['Redis', 'Go'],
    effect: 'adds',
    memory: ROUNDED,
    fork: THP_FORK,
    source: 'Linux manual pages, madvise(2), MADV_NOHUGEPAGE',
  },
  {
    id: 'disabled',
    title: 'Start the program without PR_SET_THP_DISABLE',
    how: 'children get it over fork and exec: look at the launcher too',
    purpose: 'gain',
    kinds: PRIVATE,
    shares: ['disabled'],
    unless: ['Redis'],
    effect: 'adds',
    memory: ROUNDED,
    fork: THP_FORK,
    source: 'Linux manual pages, PR_SET_THP_DISABLE(2const)',
  },
  {
    id: 'collapse',
    title: 'Huge pages are allowed here, and not there yet',
    how: 'madvise(MADV_COLLAPSE) (Linux 6.1) makes them at once; khugepaged makes them in minutes, unless free memory is in pieces',
    purpose: 'gain',
    kinds: [...PRIVATE, 'shared memory'],
    shares: ['waiting'],
    unless: ['Redis'],
    effect: 'adds',
    memory: ROUNDED,
    fork: THP_FORK,
    source: 'Linux manual pages, madvise(2), MADV_COLLAPSE',
  },
  {
    id: 'setting',
    title: 'Allow programs to ask',
    how: 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled (root); madvise(MADV_COLLAPSE) works without (Linux 6.1)',
    purpose: 'gain',
    kinds: [...PRIVATE, 'stack'],
    shares: ['setting'],
    unless: ['Redis', 'MongoDB', 'Go'],
    effect: 'adds',
    memory: 'none by itself: only programs that ask get huge pages',
    fork: THP_FORK,
    source: `${THP_DOC}, part "Global THP controls"`,
  },
  {
    id: 'shared-memory',
    title: 'Allow huge pages in shared memory',
    how: 'transparent_hugepage/shmem_enabled = advise (for /dev/shm: mount -o remount,huge=advise /dev/shm), then madvise(MADV_HUGEPAGE)',
    purpose: 'gain',
    kinds: ['shared memory'],
    shares: ['shmem'],
    unless: ['PostgreSQL', 'JVM'],
    effect: 'adds',
    memory: `${ROUNDED}, once for all that share it`,
    fork: 'shared memory is not copied',
    source: `${THP_DOC}, part "Hugepages in tmpfs/shmem"`,
  },
  {
    id: 'hugetlb',
    title: 'Or take shared memory from a pool of huge pages',
    how: 'vm.nr_hugepages, and MAP_HUGETLB, SHM_HUGETLB or a file in hugetlbfs',
    purpose: 'gain',
    kinds: ['shared memory'],
    shares: ['asking', 'shmem', 'offset'],
    unless: ['PostgreSQL', 'JVM'],
    effect: 'sets aside',
    memory: POOL,
    fork: POOL_FORK,
    source: 'Linux Documentation/admin-guide/mm/hugetlbpage.rst, "HugeTLB Pages"',
  },
  {
    id: 'max-ptes-none',
    title: 'Keep khugepaged from making huge pages of few pages',
    how: 'echo 0 > /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none (root); 64 lets one in eight be missing',
    purpose: 'waste',
    kinds: [...PRIVATE, 'stack'],
    shares: ['asking', 'waiting'],
    unless: ['Go', 'Redis'],
    enabled: ['always', 'madvise'],
    effect: 'saves',
    memory: 'faults still give whole huge pages',
    fork: THP_FORK,
    source: `${THP_DOC}, part "Khugepaged controls"`,
  },
];
