import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { builtLauncher, launch, type LaunchOptions, type Run, type Side } from '../../../../src/host/try/launch.js';
import { temporaryFolder } from '../../../folder.js';
import { hasCompiler } from '../compiler.js';

async function run(
  command: readonly string[],
  side: Side = 'base',
  options: Partial<LaunchOptions> = {},
): Promise<Run> {
  const launcher = await builtLauncher();
  return launch(side, {
    launcher,
    command,
    show: false,
    onTick: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

/** A process with this PID is there, and no zombie. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe.runIf(hasCompiler && process.platform === 'linux')('a launched command', () => {
  it('is told how it ended, with its times, its faults and what it said', async () => {
    const ended = await run(['sh', '-c', 'echo out; echo err >&2; exit 3']);
    expect(ended).toMatchObject({ side: 'base', exitCode: 3, signal: 0, leftRunning: 0, errors: 'err\n' });
    expect(ended.wall).toBeGreaterThan(0);
    expect(ended.minorFaults).toBeGreaterThan(0);
    expect(await run(['sh', '-c', 'kill -TERM $$'])).toMatchObject({ exitCode: 0, signal: 15 });
  });

  it('has the same digest for the same output only', async () => {
    const outputs = await Promise.all(['a', 'a', 'b'].map((word) => run(['echo', word])));
    const [one, same, other] = outputs.map(({ output }) => output);
    expect(one).toBe(same);
    expect(one).not.toBe(other);
  });

  it('has huge pages forbidden on one side, and its environment changed by no byte of length', async () => {
    const file = join(temporaryFolder(), 'seen');
    vi.stubEnv('GLIBC_TUNABLES', 'glibc.malloc.hugetlb=2:glibc.malloc.arena_max=1');
    const seen = async (side: Side): Promise<string> => {
      await run(['sh', '-c', `grep THP_enabled /proc/self/status > ${file}; env | sort >> ${file}`], side);
      return readFileSync(file, 'utf8');
    };
    const [base, huge] = [await seen('base'), await seen('huge')];
    vi.unstubAllEnvs();
    expect(base).toMatch(/^THP_enabled:\s+0$/m);
    expect(huge).toMatch(/^THP_enabled:\s+1$/m);
    expect(base).toMatch(/^GLIBC_TUNABLES=glibc\.malloc\.arena_max=1:glibc\.malloc\.hugetlb=0$/m);
    expect(huge).toMatch(/^GLIBC_TUNABLES=glibc\.malloc\.arena_max=1:glibc\.malloc\.hugetlb=1$/m);
    expect(base).toHaveLength(huge.length);
  });

  it('has the times of its children, added up', async () => {
    const work = 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done';
    const [alone, family] = [await run(['true']), await run(['sh', '-c', `(${work}) & (${work}) & wait`])];
    expect(family.user + family.system).toBeGreaterThan(alone.user + alone.system);
  });

  it('leaves nothing running, not even what has a session of its own', async () => {
    const file = join(temporaryFolder(), 'pids');
    const { leftRunning } = await run([
      'sh',
      '-c',
      `sleep 1000 & echo $! > ${file}; setsid sh -c 'echo $$ >> ${file}; exec sleep 1000' & while [ $(wc -l < ${file}) -lt 2 ]; do :; done`,
    ]);
    expect(leftRunning).toBe(2);
    const pids = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    expect(pids.map(lives)).toEqual([false, false]);
  });

  it('is ended with all that it started when the signal comes', async () => {
    const file = join(temporaryFolder(), 'pid');
    const interruption = new AbortController();
    const onTick = (): void => {
      try {
        if (readFileSync(file, 'utf8').endsWith('\n')) interruption.abort();
      } catch {
        // It has not begun yet.
      }
    };
    const running = run(['sh', '-c', `setsid sleep 1000 & echo $! > ${file}; wait`], 'huge', {
      onTick,
      signal: interruption.signal,
    });
    await expect(running).rejects.toThrow('interrupted');
    expect(lives(Number(readFileSync(file, 'utf8')))).toBe(false);
  });

  it('that does not exist is told', async () => {
    await expect(run(['no-such-command'])).rejects.toThrow("cannot run 'no-such-command': No such file or directory");
    const file = join(temporaryFolder(), 'text');
    writeFileSync(file, 'text');
    await expect(run([file])).rejects.toThrow(/cannot run '.*text': Permission denied/);
  });

  it('is seen from outside while it runs, with the library that it loaded', async () => {
    const file = join(temporaryFolder(), 'enough');
    let ticks = 0;
    const onTick = (): void => {
      if (++ticks === 10) writeFileSync(file, '');
    };
    const { memory, advised } = await run(['sh', '-c', `while [ ! -e ${file} ]; do sleep 0.01; done`], 'huge', {
      onTick,
    });
    expect(memory?.anonymous).toBeGreaterThan(0);
    expect(advised).toBe(true);
  });
});
