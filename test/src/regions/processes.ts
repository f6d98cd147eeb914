/** Processes as smaps shows them, made for the tests: the regions that matter, in the order of addresses. */

interface Line {
  /** First address, in hexadecimal digits. */
  readonly at: string;
  readonly mib: number;
  readonly name?: string;
  readonly permissions?: string;
  readonly residentMib?: number;
  readonly hugeMib?: number;
  /** VmFlags besides rd and wr. */
  readonly flags?: string;
  readonly pageKib?: number;
}

function text({
  at,
  mib,
  name = '',
  permissions = 'rw-p',
  residentMib = 0,
  hugeMib = 0,
  flags = '',
  pageKib = 4,
}: Line) {
  const start = parseInt(at, 16);
  const end = (start + mib * 2 ** 20).toString(16);
  const inode = name.startsWith('/') ? 7 : 0;
  const shared = permissions.endsWith('s') || permissions.includes('x');
  const resident = pageKib > 4 ? 0 : residentMib * 1024;
  return [
    `${start.toString(16)}-${end} ${permissions} 00000000 00:00 ${inode}   ${name}`,
    `KernelPageSize: ${pageKib} kB`,
    `Rss: ${resident} kB`,
    `Referenced: ${resident} kB`,
    `Anonymous: ${shared ? 0 : resident} kB`,
    `AnonHugePages: ${hugeMib * 1024} kB`,
    `Shared_Hugetlb: ${pageKib > 4 ? residentMib * 1024 : 0} kB`,
    `VmFlags: rd wr ${flags}`,
  ].join('\n');
}

/** The text of /proc/PID/smaps. */
function smapsText(lines: readonly Line[]): string {
  return `${lines.map(text).join('\n')}\n`;
}

const LIBC: Line = { at: '7f8000000000', mib: 2, name: '/usr/lib/libc.so.6', permissions: 'r-xp', residentMib: 1 };
const STACK: Line = { at: '7ffc00000000', mib: 1, name: '[stack]', residentMib: 1, flags: 'gd' };

/** A JVM with a heap of 512 MiB that nobody asked huge pages for. */
export const JAVA = smapsText([
  { at: '700000000', mib: 512, residentMib: 30 },
  { at: '7f7000000000', mib: 16, name: '/usr/lib/jvm/libjvm.so', permissions: 'r-xp', residentMib: 12 },
  LIBC,
  STACK,
]);

/** Redis with a heap of its own jemalloc, and one for BGSAVE. */
export const REDIS = smapsText([
  { at: '555500000000', mib: 2, name: '/usr/bin/redis-server', permissions: 'r-xp', residentMib: 2 },
  { at: '7f7000000000', mib: 256, residentMib: 24 },
  LIBC,
  STACK,
]);

/** Python with jemalloc in front of glibc's malloc; arenas of pymalloc between. */
export const PYTHON_JEMALLOC = smapsText([
  { at: '555500000000', mib: 4, name: '/usr/bin/python3.11', permissions: 'r-xp', residentMib: 3 },
  { at: '7f7000000000', mib: 64, residentMib: 20 },
  { at: '7f7010000000', mib: 1, residentMib: 1 },
  { at: '7f7fff000000', mib: 1, name: '/usr/lib/libjemalloc.so.2', permissions: 'r-xp', residentMib: 1 },
  LIBC,
  STACK,
]);

/** Python with glibc's malloc alone. */
export const PYTHON = smapsText([
  { at: '555500000000', mib: 4, name: '/usr/bin/python3.11', permissions: 'r-xp', residentMib: 3 },
  { at: '555510000000', mib: 20, name: '[heap]', residentMib: 20 },
  { at: '7f7010000000', mib: 1, residentMib: 1 },
  LIBC,
  STACK,
]);

/** A program in C with a heap and a large block, in part huge. */
export const PLAIN = smapsText([
  { at: '555510000000', mib: 8, name: '[heap]', residentMib: 8 },
  { at: '7f7000000000', mib: 24, residentMib: 24, hugeMib: 12, flags: 'hg' },
  { at: '7f7010000000', mib: 24, residentMib: 20, flags: 'nh' },
  LIBC,
  STACK,
]);

/** Go, whose heap begins at a place of its own. */
export const GO = smapsText([
  { at: '400000', mib: 4, name: '/usr/bin/server', permissions: 'r-xp', residentMib: 2 },
  { at: 'c000000000', mib: 64, residentMib: 16 },
  STACK,
]);

/** A server process of PostgreSQL with 1 GiB of shared buffers. */
export const POSTGRES = smapsText([
  { at: '555500000000', mib: 8, name: '/usr/lib/postgresql/bin/postgres', permissions: 'r-xp', residentMib: 4 },
  { at: '555510000000', mib: 4, name: '[heap]', residentMib: 2 },
  { at: '7f7000000000', mib: 1024, name: '/dev/zero (deleted)', permissions: 'rw-s', residentMib: 30 },
  LIBC,
  STACK,
]);
