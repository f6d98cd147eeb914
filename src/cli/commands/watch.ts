import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { InspectError, readProc } from '../../inspect/proc-files.js';
import { readPolicy } from '../../regions/host.js';
import { printable } from '../../report/output/printable.js';
import { liveSampler } from '../../inspect/watch/sampler.js';
import { watch } from '../../inspect/watch/watch.js';
import type { Clock } from '../../inspect/watch/watch.js';
import type { WatchResult } from '../../inspect/watch/watch-result.js';
import { watchText } from '../../inspect/watch/watch-text.js';
import { CommandFailure } from '../failure.js';
import { interruptible } from '../interruption.js';
import { parsePid, tlbOption } from '../options.js';
import { checkOutputs, printJson, writeOutput } from '../output.js';
import { Progress } from '../progress.js';

interface WatchCommandOptions {
  readonly seconds: number;
  readonly interval: number;
  readonly tlb: TlbGeometry;
  readonly json?: true;
  readonly plot?: string;
}

/** A day: nobody waits longer in front of a terminal. */
const MOST_SECONDS = 86_400;
/** A TLB keeps its entries for a moment after the bits were cleared; in shorter spans these would be missing. */
const SHORTEST_SECONDS = 0.1;

function parseSeconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : NaN;
  if (value >= SHORTEST_SECONDS && value <= MOST_SECONDS) return value;
  throw new InvalidArgumentError(`Give seconds from ${SHORTEST_SECONDS} to ${MOST_SECONDS}, such as 10 or 0.5.`);
}

const CLOCK: Clock = {
  now: () => performance.now(),
  spent: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  sleep: async (ms, signal) => {
    // The signal ends the wait by an error: no failure here.
    await wait(ms, undefined, { signal }).catch(() => undefined);
  },
};

async function run(
  pid: number,
  { seconds, interval, tlb }: WatchCommandOptions,
  signal: AbortSignal,
): Promise<WatchResult | undefined> {
  const progress = new Progress('watching', 'ms');
  try {
    const sampler = liveSampler(pid);
    return await watch({
      pid,
      name: basename(readProc('/proc', pid, 'comm').trim()),
      sampler,
      clock: CLOCK,
      seconds,
      intervalMs: interval * 1000,
      tlb,
      policy: readPolicy(pid),
      signal,
      onProgress: (done, total) => progress.update(Math.min(done, total), total),
    });
  } catch (error) {
    throw error instanceof InspectError ? new CommandFailure(error.message) : error;
  } finally {
    progress.end();
  }
}

/** `pagewalk watch`: the working set of a live process over time. */
export function watchCommand(): Command {
  return new Command('watch')
    .summary('which memory does a live process use?')
    .description(
      'Which memory does a live process use, and does the TLB reach it? Clears its\nreferenced bits and reads them again (Linux only; as its owner or root). That\nbounds what huge pages could gain. Ctrl-C ends it with what was seen.',
    )
    .argument('<PID>', 'process, or self', parsePid)
    .option('--seconds <number>', 'how long to watch', parseSeconds, 10)
    .option('--interval <number>', 'seconds from clearing to reading', parseSeconds, 1)
    .addOption(tlbOption())
    .option('--json', 'print JSON instead of text')
    .option('--plot <file>', 'write a chart as SVG too')
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk watch self --seconds 1 --interval 0.2\n  pagewalk watch self --seconds 1 --interval 0.5 --tlb zen4 --json',
    )
    .action(async (pid: number, options: WatchCommandOptions) => {
      const { seconds, interval } = options;
      if (interval > seconds) {
        throw new CommandFailure(
          `--interval ${interval} is longer than --seconds ${seconds}; give --seconds ${interval}`,
          2,
        );
      }
      checkOutputs({}, { '--plot': options.plot });
      const result = await interruptible((signal) => run(pid, options, signal));
      if (result === undefined) {
        process.stderr.write('interrupted before the first sample; nothing was seen\n');
        return;
      }
      if (options.plot !== undefined) {
        const { watchPlot } = await import('../../inspect/watch/watch-plot.js');
        writeOutput('--plot', options.plot, watchPlot(printable(result)));
      }
      if (options.json === true) printJson(result);
      else process.stdout.write(watchText(printable(result)));
    });
}
