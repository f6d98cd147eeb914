import { Command } from 'commander';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { inspect } from '../../inspect/inspect.js';
import type { InspectResult } from '../../inspect/inspect-result.js';
import { inspectText } from '../../inspect/inspect-text.js';
import { readProcess } from '../../inspect/live-process.js';
import { InspectError } from '../../inspect/proc-files.js';
import { readPolicy } from '../../regions/host.js';
import { printable } from '../../report/output/printable.js';
import { CommandFailure } from '../failure.js';
import { parsePid, tlbOption } from '../options.js';
import { printJson } from '../output.js';
import { Progress } from '../progress.js';

interface InspectCommandOptions {
  readonly tlb: TlbGeometry;
  readonly json?: true;
}

async function run(pid: number, { tlb }: InspectCommandOptions): Promise<InspectResult> {
  const progress = new Progress('rebuilding', 'regions');
  try {
    return await inspect(readProcess(pid), {
      tlb,
      policy: readPolicy(pid),
      onProgress: (done, total) => progress.update(done, total),
    });
  } catch (error) {
    throw error instanceof InspectError ? new CommandFailure(error.message) : error;
  } finally {
    progress.end();
  }
}

/** `pagewalk inspect`: the cost of a live process's memory. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .summary("what does a live process's memory cost?")
    .description(
      'Rebuilds the memory of a live process in the model (Linux only) and says what\nit costs in 4 KiB pages and with huge ones: tables, TLB reach, forks; what could\nbe huge, why not the rest, and what to do.',
    )
    .argument('<PID>', 'process, or self', parsePid)
    .addOption(tlbOption())
    .option('--json', 'print JSON instead of a table')
    .addHelpText('after', '\nExamples:\n  pagewalk inspect self\n  pagewalk inspect self --tlb zen4 --json')
    .action(async (pid: number, options: InspectCommandOptions) => {
      const result = await run(pid, options);
      if (options.json === true) printJson(result);
      else process.stdout.write(inspectText(printable(result)));
    });
}
