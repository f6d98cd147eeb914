import { Command, Option } from 'commander';
import { pageSizeName, parsePageSize } from '../../../hw/base/address.js';
import { FORK_SHIFTS, forkCost, MAX_RESIDENT } from '../../compare/fork-cost.js';
import type { MachineName } from '../../compare/machine/pages/page-kinds.js';
import type { ForkResult } from '../../report/results/fork-result.js';
import { forkRows, forkText } from '../../report/views/fork-views.js';
import { formatBytes } from '../../report/output/units.js';
import { CommandFailure } from '../failure.js';
import { machineOption, parseBytes, parsePageNames, parseShare } from '../options.js';
import { checkOutputs, printResult, type OutputOptions } from '../output.js';
import { Progress } from '../progress.js';

interface ForkCommandOptions extends OutputOptions {
  readonly resident: number;
  readonly machine: MachineName;
  readonly pages: string[];
  readonly touch: number;
  readonly exec?: true;
}

/**
 * Missing memory is told before any work. The model's RAM ends at 16 GiB, and after a fork parent and child may need
 * all of it twice; and the host must hold all memory touched in the model.
 */
function checkResident(resident: number): void {
  if (resident > MAX_RESIDENT) {
    throw new CommandFailure(
      `--resident: ${formatBytes(resident)} is more than the model holds: its RAM ends at 16 GiB, and after a fork parent and child may need all of it twice; give at most ${MAX_RESIDENT / 2 ** 30}G`,
    );
  }
  const available = process.availableMemory();
  if (2 * resident > available) {
    throw new CommandFailure(
      `--resident: ${formatBytes(resident)} would take ${formatBytes(2 * resident)} of this machine's memory, and ${formatBytes(available)} are free; give at most ${Math.floor(available / 2 ** 21)}M`,
    );
  }
}

/** @throws CommandFailure for pages that the machine cannot fork with */
function shiftsOf({ machine, pages }: ForkCommandOptions): number[] {
  const known = FORK_SHIFTS[machine];
  const shifts = pages.map((name) => {
    const shift = parsePageSize(name);
    if (shift !== undefined && known.includes(shift)) return shift;
    const choices = known.map(pageSizeName).join(', ');
    throw new CommandFailure(`--pages: '${name}' is no page of ${machine}; choose from ${choices}`, 2);
  });
  return known.filter((shift) => shifts.includes(shift));
}

async function run(options: ForkCommandOptions): Promise<ForkResult> {
  const progress = new Progress('forking', 'scenarios');
  try {
    return await forkCost({
      ...options,
      pages: shiftsOf(options),
      exec: options.exec === true,
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.end();
  }
}

/** `pagewalk fork`: the cost of a fork, and of the writes after it. */
export function forkCommand(): Command {
  return new Command('fork')
    .description('What forking a process costs, and what it and its child pay for writing afterwards.')
    .addOption(
      new Option('-r, --resident <bytes>', 'memory written before').argParser(parseBytes).default(2 ** 30, '1G'),
    )
    .addOption(
      new Option('-p, --pages <sizes>', 'page sizes').argParser(parsePageNames).default(['4K', '2M', '1G'], '4K,2M,1G'),
    )
    .addOption(machineOption())
    .addOption(
      new Option('-t, --touch <percent>', 'share written afterwards').argParser(parseShare).default(0.1, '10%'),
    )
    .option('-x, --exec', 'only the best case: the child execs at once')
    .option('--json', 'print JSON instead of a table')
    .option('--csv <file>', 'write CSV too (- prints it instead)')
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk fork --resident 64M --pages 4K,2M\n  pagewalk fork --resident 64M --machine aarch64 --pages 4K,16K,64K',
    )
    .action(async (options: ForkCommandOptions) => {
      checkOutputs(options, { '--csv': options.csv });
      checkResident(options.resident);
      const result = await run(options);
      printResult(result, options, { text: forkText, rows: forkRows });
    });
}
