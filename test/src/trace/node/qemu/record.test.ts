import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../../folder.js';
import { FETCH, LOAD, MODIFY, STORE } from '../../../../../src/trace/block.js';
import { openTrace } from '../../../../../src/trace/node/open.js';
import { chooseEngine } from '../../../../../src/trace/node/choose.js';
import { type Recording, type RecordOptions } from '../../../../../src/trace/node/recorder.js';
import { recordWith } from '../record-with.js';
import { collect } from '../../blocks.js';

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

let folder: string;
let output: string;

beforeEach(() => {
  folder = temporaryFolder();
  output = join(folder, 'x.pwt');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

function run(command: [string, ...string[]], options: Partial<RecordOptions> = {}): Promise<Recording> {
  return recordWith('qemu', output, command, options);
}

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function compiled(name: string, source: string, ...flags: string[]): string {
  const path = join(folder, name);
  writeFileSync(`${path}.c`, source);
  execFileSync('cc', ['-O1', ...flags, '-o', path, `${path}.c`]);
  return path;
}

/** Two functions, each with 100,000 times a load and a store of 4 bytes, which follow each other from 0x600000000000 on. */
const LONG = `
#include <sys/mman.h>
#define AT ((volatile int *)0x600000000000)
__attribute__((noinline)) void first(void) { for (int i = 0; i < 100000; i++) AT[i] = AT[i]; }
__attribute__((noinline)) void second(void) { for (int i = 100000; i < 200000; i++) AT[i] = AT[i]; }
int main(void) {
  mmap((void *)AT, 800000, 3, 0x100022, -1, 0);
  first();
  second();
  return munmap((void *)AT, 800000);
}`;

/** Two threads with names, which store at addresses from 0x600000000000 on. */
const THREADS = `
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
static volatile long *at;
static void *work(void *number) {
  char name[16];
  long n = (long)number;
  snprintf(name, sizeof name, "worker %ld", n);
  pthread_setname_np(pthread_self(), name);
  for (long i = 0; i < 3000 + n; i++) at[512 * n + i % 512] = i;
  return 0;
}
int main(void) {
  at = mmap((void *)0x600000000000, 8192, 3, 0x100022, -1, 0);
  pthread_t threads[2];
  for (long n = 0; n < 2; n++) pthread_create(&threads[n], 0, work, (void *)n);
  for (int n = 0; n < 2; n++) pthread_join(threads[n], 0);
  return 0;
}`;

/** Maps 8 MiB and touches all of it; maps shared memory, which goes; and moves a mapping. */
const MAPS = `
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
int main(void) {
  char *at = mmap((void *)0x600000000000, 4 << 20, 3, 0x100022, -1, 0);
  madvise(at, 4 << 20, 14);
  memset(at, 1, 4 << 20);
  char *shared = mmap((void *)0x610000000000, 1 << 20, 3, 0x100021, -1, 0);
  memset(shared, 1, 4096);
  munmap(shared, 1 << 20);
  char *moves = mmap((void *)0x620000000000, 8192, 3, 0x100022, -1, 0);
  moves = mremap(moves, 8192, 16384, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x630000000000);
  char *volatile small = malloc(1000);
  memset(small, 1, 1000);
  free(small);
  return moves[0];
}`;

const hasQemu = process.arch === 'x64' && runs('qemu-x86_64') && runs('cc');

/** Stores 64 bytes a page into 100 pages at a fixed address, counts one up a thousand times, and ends. */
const PROGRAM = `
#include <sys/mman.h>
int main(void) {
  volatile char *at = mmap((void *)0x600000000000, 100 * 4096, 3, 0x100022, -1, 0);
  for (int page = 0; page < 100; page++)
    for (int i = 0; i < 64; i += 8) *(volatile long *)(at + 4096 * page + i) = 1;
  for (int i = 0; i < 1000; i++) __asm__ volatile("incl %0" : "+m"(*(volatile int *)at));
  for (int i = 0; i < 1000; i++) __asm__ volatile("movups %0, %%xmm0" : : "m"(at[16]) : "xmm0");
  return 5;
}`;

describe.runIf(hasQemu)('record, with the real QEMU', () => {
  it('sees what a program does, access by access', async () => {
    writeFileSync(join(folder, 'p.c'), PROGRAM);
    execFileSync('cc', ['-O1', '-o', join(folder, 'p'), join(folder, 'p.c')]);
    const recording = await run([join(folder, 'p')]);
    expect(recording).toMatchObject({
      engine: 'qemu',
      processes: 1,
      facts: { unseen: [] },
      ending: { code: 5, signal: null },
    });
    const inArea = (await collect(openTrace(output))).filter(({ address }) => address >> 20n === 0x6000000n);
    const count = (kind: number, size: number): number =>
      inArea.filter((access) => access.kind === kind && access.size === size).length;
    // Reading and writing in one instruction is one access, and so are 16 bytes at once, as in lackey.
    expect([count(STORE, 8), count(MODIFY, 4), count(LOAD, 16), inArea.length]).toEqual([800, 1000, 1000, 2800]);
  });

  it('tells engine, processes and instructions in the trace', async () => {
    await run(['true']);
    const trace = openTrace(output);
    await collect(trace);
    expect(trace.metadata).toMatchObject({ engine: 'qemu', command: ['true'] });
    expect(trace.metadata?.tool).toMatch(/^qemu-x86_64 \d+\.\d+/);
    expect(trace.coverage).toMatchObject({ processes: [{ origin: 'command' }], ending: { code: 0, signal: null } });
    expect(trace.coverage?.instructions).toBeGreaterThan(trace.counts.accesses);
    expect(trace.coverage?.runAccesses).toBeGreaterThanOrEqual(trace.counts.accesses);
  });

  it('follows children, scripts and programs that replace themselves', async () => {
    const inner = script('inner', '#!/bin/sh\nexec /bin/true "$@"\n');
    const outer = script('outer', `#! /bin/sh -e\n${inner} a,b; missing-program || exec ${inner}\n`);
    const recording = await run([outer]);
    // The outer shell; in a child the inner one, which becomes true; the outer one then becomes both as well.
    expect(recording).toMatchObject({ processes: 5, facts: { unseen: [] }, ending: { code: 0 } });
  });

  it('hands words on as they were, and the name too', async () => {
    const words = ['-c', 'test "$1" = "a  b" && test "$0" = x,y && exec sh -c "exit 7"', 'x,y', 'a  b'];
    expect((await run(['sh', ...words])).ending).toMatchObject({ code: 7 });
  });

  it('names a program that gets other rights as not seen', async () => {
    const own = script('own', '');
    execFileSync('cp', ['/bin/true', own]);
    chmodSync(own, 0o4755);
    expect(await run(['sh', '-c', own])).toMatchObject({ facts: { unseen: [own] }, ending: { code: 0 } });
  });

  it('lists a thread once, with all it counted, though its process failed to replace its program', async () => {
    const broken = script('broken', '\x7fELF\nexit 0\n');
    const { facts } = await run(['sh', '-c', `exec ${broken} 2> /dev/null`]);
    const [{ threads, accesses, pid }] = facts.processes;
    expect(facts.unseen).toEqual([broken]);
    expect(threads).toEqual([{ tid: pid, name: undefined, accesses }]);
  });

  it('sees children whose descriptors were all closed, and a program that a signal ends', async () => {
    const closing = 'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; /bin/true; kill -TERM $$';
    const recording = await run(['sh', '-c', closing]);
    expect(recording).toMatchObject({ processes: 2, ending: { code: null, signal: 'SIGTERM' } });
  });

  it('knows what a program counted that a signal ended, to the last batch', async () => {
    const killed = await run(['sh', '-c', 'kill -KILL $$']);
    const whole = await run(['sh', '-c', 'exit 0']);
    const [{ accesses = 0, instructions = 0 }] = killed.facts.processes;
    expect(killed.ending).toEqual({ code: null, signal: 'SIGKILL' });
    expect(accesses % 4096).toBe(0);
    expect(Math.abs(accesses - whole.facts.accesses!)).toBeLessThan(12_000);
    expect(instructions).toBeGreaterThan(accesses);
  });

  it('loses nothing of children that run at once', async () => {
    const recording = await run(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do true | cat & done; wait']);
    expect(recording.skippedLines).toBe(0);
    expect(recording.processes).toBeGreaterThanOrEqual(21);
  });

  it('keeps fetches when asked to, and passes over --skip accesses', async () => {
    const all = await run(['true'], { fetches: true });
    expect(all.counts.fetches).toBeGreaterThan(all.counts.loads);
    expect((await collect(openTrace(output, { fetches: true })))[0].kind).toBe(FETCH);
    const skipped = await run(['true'], { skip: 20_000 });
    expect(skipped.counts.accesses).toBeLessThan(all.counts.accesses - all.counts.fetches - 15_000);
  });

  it('kills the program at --limit', async () => {
    const recording = await run(['sh', '-c', 'while :; do :; done'], { limit: 100_000 });
    expect(recording).toMatchObject({ counts: { accesses: 100_000 }, ending: 'stopped' });
  });

  it('keeps windows over the whole run, and counts what is between them', async () => {
    const program = compiled('long', LONG);
    const whole = await run([program]);
    const recording = await run([program], { windows: { length: 1000, most: 8 } });
    const { facts, counts, windows } = recording;
    // The start of a program takes a few accesses more or less from run to run: its environment is on its stack.
    expect(Math.abs(facts.accesses! / whole.facts.accesses! - 1)).toBeLessThan(0.01);
    expect(facts.accesses).toBeGreaterThan(400_000);
    expect(windows.kept).toBeGreaterThanOrEqual(4);
    expect(windows.kept).toBeLessThanOrEqual(8);
    expect(counts.accesses).toBeLessThanOrEqual(8000);
    const trace = openTrace(output);
    /** By the start of a window, the elements that the loops take in it. */
    const elements = new Map<number, number[]>();
    let warmUp = 0;
    for await (const block of trace) {
      const taken = elements.get(block.window) ?? [];
      elements.set(block.window, taken);
      for (let i = 0; i < block.length; i++) if (block.addressHi(i) === 0x6000) taken.push(block.addressLo(i) / 4);
      if (block.warmUp) warmUp += block.length;
    }
    const starts = [...elements.keys()];
    const [, distance] = starts;
    expect(starts).toEqual(Array.from({ length: windows.kept }, (_, i) => i * distance));
    expect(distance * windows.kept).toBeGreaterThanOrEqual(facts.accesses! - 1000);
    // Each window has what the program did at its place, whatever stood in its slot of the file before.
    const inLoops = [...elements].filter(([, { length }]) => length === 1000);
    expect(inLoops.length).toBeGreaterThanOrEqual(3);
    const [[firstStart, [firstElement]]] = inLoops;
    for (const [start, taken] of inLoops) {
      expect(taken.every((element, i) => i === 0 || [0, 1].includes(element - taken[i - 1]))).toBe(true);
      // Each element is loaded and stored; between the loops there is a return and a call.
      expect(Math.abs(taken[0] - firstElement - (start - firstStart) / 2)).toBeLessThan(5);
    }
    // RAM was looked at as windows began: at the end the mapping has gone.
    const { regions } = trace.coverage!.processes[0];
    expect(regions.find(({ start }) => start === 0x600000000000)?.residentBytes).toBeGreaterThan(400_000);
    // A quarter of each window but the one at the start of the run.
    expect(warmUp).toBeGreaterThan(200 * (windows.kept - 1));
    expect(trace.coverage).toMatchObject({ warmUp, runAccesses: facts.accesses });
  });

  it('writes nothing, and says why, when the windows cannot be kept', async () => {
    vi.stubEnv('TMPDIR', folder);
    const losing = `rm ${folder}/pagewalk-record-*/windows; /bin/true`;
    await expect(run(['sh', '-c', losing], { windows: { length: 1000, most: 64 } })).rejects.toThrow(
      `the windows cannot be kept in the temporary folder '${folder}' (ENOENT); name another with TMPDIR`,
    );
    expect(readdirSync(folder)).toEqual([]);
    const huge = run(['true'], { windows: { length: 2 ** 40, most: 2 ** 30 } });
    await expect(huge).rejects.toThrow('or give fewer --windows or a smaller --window');
  });

  it('keeps the address spaces of processes apart, each page of each touched anew', async () => {
    await run(['sh', '-c', '/bin/true; /bin/true']);
    const trace = openTrace(output);
    const pages = new Set<string>();
    for await (const block of trace) {
      for (let i = 0; i < block.length; i++) {
        pages.add(`${block.process} ${block.addressHi(i)} ${block.addressLo(i) >>> 12}`);
      }
    }
    const processes = trace.coverage!.processes.map(({ program, origin }) => `${origin} ${program.split('/').at(-1)}`);
    expect(processes.filter((name) => name === 'exec true')).toHaveLength(2);
    expect(processes.filter((name) => name.startsWith('fork'))).toHaveLength(2);
    const ofTrue = [...pages].filter((page) => page.startsWith(`${processes.lastIndexOf('exec true')} `));
    // Each maps its stack, its data and the C library's.
    expect(ofTrue.length).toBeGreaterThan(10);
    expect(pages.size).toBeGreaterThan(3 * ofTrue.length);
  });

  it.each<[string, RecordOptions['windows']]>([
    ['as they come', 'whole'],
    ['in windows', { length: 1000, most: 200 }],
  ])('keeps threads apart and knows their names: %s', async (_, windows) => {
    const program = compiled('threads', THREADS, '-pthread');
    await run([program], { windows });
    const trace = openTrace(output);
    const stores = new Map<number, number>();
    for await (const block of trace) {
      for (let i = 0; i < block.length; i++) {
        const counter = block.addressHi(i) === 0x6000 && block.kind(i) === STORE;
        if (counter) stores.set(block.thread, (stores.get(block.thread) ?? 0) + 1);
      }
    }
    const [{ threads }] = trace.coverage!.processes;
    const named = [...stores].map(([thread, count]) => [threads[thread].name, count]);
    expect(named.sort()).toEqual([
      ['worker 0', 3000],
      ['worker 1', 3001],
    ]);
  });

  it('tells the mappings of each process, as they come and go, and what of them was in RAM', async () => {
    const program = compiled('maps', MAPS);
    await run([program]);
    const trace = openTrace(output);
    await collect(trace);
    const [{ regions, residentBytes }] = trace.coverage!.processes;
    const named = (name: string): object[] => regions.filter((region) => region.name === name);
    expect(named('[stack]')).toMatchObject([{ permissions: 'rw-p', wentAt: null }]);
    expect(named('[heap]').length).toBeGreaterThan(0);
    expect(regions.find(({ name, permissions }) => name === program && permissions === 'r-xp')).toBeDefined();
    expect(regions.find(({ name }) => name.includes('/libc.so'))).toBeDefined();
    const at = (start: number): (typeof regions)[number] | undefined =>
      regions.find((region) => region.start === start);
    expect(at(0x600000000000)).toMatchObject({
      end: 0x600000400000,
      residentBytes: 2 ** 22,
      advice: 'huge',
      wentAt: null,
    });
    expect(at(0x610000000000)).toMatchObject({ end: 0x610000100000, permissions: 'rw-s' });
    expect(at(0x610000000000)!.wentAt).toBeGreaterThan(at(0x600000000000)!.cameAt);
    expect(at(0x620000000000)).toBeUndefined();
    expect(at(0x630000000000)).toMatchObject({ end: 0x630000004000 });
    expect(residentBytes).toBeGreaterThan(2 ** 22);
    expect(residentBytes).toBeLessThan(2 ** 25);
  });

  it('begins at a function, or after some time', async () => {
    const program = compiled('long', LONG);
    const all = await run([program]);
    const late = await run([program], { startAt: 'second' });
    // The second half of the loops, and the end of the program.
    expect(late.counts.accesses / all.counts.accesses).toBeCloseTo(0.5, 1);
    await expect(run([program], { startAt: 'third' })).rejects.toThrow('has no such function');
    await expect(run(['true'], { startAfter: 1000 })).rejects.toThrow(
      "'true' made no accesses to record; it ended before --start-after 1000, give less; nothing was written",
    );
  });

  it('compiles its plugin once, whole, into the cache of the user', async () => {
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
    await Promise.all([chooseEngine('qemu', ['true']), chooseEngine('qemu', ['true'])]);
    const built = (): string[] => readdirSync(join(folder, 'cache', 'pagewalk'));
    expect(built()).toEqual([expect.stringMatching(/^plugin-[0-9a-f]{16}\.so$/)]);
    vi.stubEnv('CC', 'no-such-compiler');
    await chooseEngine('qemu', ['true']);
    expect(built()).toHaveLength(1);
  });

  it('says so when the compiler is missing, or the cache cannot be written', async () => {
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
    vi.stubEnv('CC', 'no-such-compiler');
    await expect(run(['true'])).rejects.toThrow("the C compiler 'no-such-compiler' is missing");
    vi.stubEnv('XDG_CACHE_HOME', script('file', ''));
    await expect(run(['true'])).rejects.toThrow('XDG_CACHE_HOME');
  });

  it('says so when there is no such program, and writes nothing', async () => {
    await expect(run(['no-such-program'])).rejects.toThrow("there is no program 'no-such-program'");
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('says what to install when QEMU is missing', async () => {
  vi.stubEnv('PATH', folder);
  await expect(run(['true'])).rejects.toThrow(
    process.arch === 'x64' || process.arch === 'arm64' ? 'qemu-user' : 'qemu',
  );
});

it('takes no other engine for a program that is not there', async () => {
  // Its own words would be of valgrind.
  const missing = run(['no-such-program'], { engine: 'auto' });
  await expect(missing).rejects.toThrow("cannot run 'no-such-program': there is no such program to execute");
});

it('names both engines when neither is there', async () => {
  vi.stubEnv('PATH', folder);
  await expect(run(['true'], { engine: 'auto' })).rejects.toThrow(/qemu.*; and valgrind is missing/);
});
