import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import { DEFAULT_POLICY } from '../../../src/regions/policy.js';
import { inspect } from '../../../src/inspect/inspect.js';
import { readProcess } from '../../../src/inspect/live-process.js';
import { InspectError } from '../../../src/inspect/proc-files.js';
import { temporaryFolder } from '../../folder.js';

const PAGE = 4096;
/** Bits 63, 61 and 56 of a pagemap entry, and what they make together. */
const PRESENT = 1n << 63n;
const FILE = PRESENT | (1n << 61n);
const OWN = PRESENT | (1n << 56n);

const ALIVE = 'Name:\tapp\nState:\tS (sleeping)\nVmSize:\t     48 kB\nVmPTE:\t      44 kB\n';
const ZOMBIE = 'Name:\tapp\nState:\tZ (zombie)\nPid:\t7\n';
const KERNEL_THREAD = 'Name:\tkthreadd\nState:\tS (sleeping)\nPid:\t7\nKthread:\t1\n';

/** Six pages of a program's file, the fourth not resident and the last one written to, and six of heap. */
const SMAPS = `00400000-00406000 rw-p 00000000 08:01 77                         /usr/bin/app
Rss:                  20 kB
Anonymous:             4 kB
KernelPageSize:        4 kB
VmFlags: rd wr mr mw me
00500000-00506000 rw-p 00000000 00:00 0                          [heap]
Rss:                   8 kB
Anonymous:             8 kB
KernelPageSize:        4 kB
VmFlags: rd wr mr mw me ac
`;
const PAGES = [
  [0x400000, [FILE, FILE, FILE, 0n, FILE, OWN]],
  [0x500000, [OWN, 0n, 0n, OWN, 0n, 0n]],
] as const;

interface Files {
  readonly smaps: string;
  readonly status: string;
}

/** A folder such as /proc with process 7 in it. */
function procWith({ smaps, status }: Files): string {
  const proc = temporaryFolder();
  for (const pid of ['7', 'self']) {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, 'smaps'), smaps);
  }
  writeFileSync(join(proc, '7', 'maps'), smaps.replace(/^\w+:.*\n/gm, ''));
  writeFileSync(join(proc, '7', 'comm'), 'app\n');
  writeFileSync(join(proc, '7', 'status'), status);
  const pagemap = openSync(join(proc, '7', 'pagemap'), 'w');
  for (const [start, entries] of PAGES) writeSync(pagemap, BigUint64Array.from(entries), 0, 48, (start / PAGE) * 8);
  closeSync(pagemap);
  return proc;
}

describe.runIf(process.platform === 'linux')('readProcess', () => {
  test('a process is rebuilt page by page from the text of its files', async () => {
    const result = await inspect(readProcess(7, procWith({ smaps: SMAPS, status: ALIVE })), {
      tlb: MODEL_DEFAULT,
      policy: DEFAULT_POLICY,
    });
    expect(result).toMatchObject({ name: 'app', source: 'pagemap', kernelTableBytes: 44 * 1024 });
    expect([result.residentBytes, result.presentBytes]).toEqual([7 * PAGE, 7 * PAGE]);
    for (const run of result.runs) {
      expect([run.residentBytes, run.smallPages, run.hugePages]).toEqual([7 * PAGE, 7, 0]);
      // Both mappings have pages of their own, so that the child gets every entry: Linux copies those of the file too.
      expect(run.fork.entriesCopied).toBe(7);
    }
  });

  test.each([
    ['a zombie', ZOMBIE, '', /PID 7: no memory .* it has ended, and waits for its parent \(a zombie\)$/],
    ['a kernel thread', KERNEL_THREAD, '', /PID 7: no memory .* it is a kernel thread, or is just ending$/],
    ['a process that ends while it is read', ZOMBIE, SMAPS, /PID 7: it ended while it was read$/],
    ['a process whose smaps was cut by its end', ZOMBIE, SMAPS.slice(0, 150), /PID 7: it ended while it was read$/],
  ])('%s is told in words', (_, status, smaps, message) => {
    const read = (): unknown => readProcess(7, procWith({ smaps, status }));
    expect(read).toThrow(InspectError);
    expect(read).toThrow(message);
  });
});
