import { Command } from 'commander';
import { forkRows, forkText } from '../report/fork-views.js';
import { forkCost } from '../compare/fork-cost.js';
import { parseBytes, parsePages, parseShare } from './options.js';
import { checkOutputs, printResult, type OutputOptions } from './output.js';

interface ForkOptions extends OutputOptions {
  readonly resident: number;
  readonly pages: number[];
  readonly touch: number;
  readonly exec?: true;
}

/** `pagewalk fork`: what a fork costs, and what the writes after it cost. */
export function forkCommand(): Command {
  return new Command('fork')
    .description('What forking a process costs, and what it and its child pay for writing afterwards.')
    .option('-r, --resident <bytes>', 'memory that the process has written', parseBytes, parseBytes('1G'))
    .option('-p, --pages <sizes>', 'page sizes: 4K, 2M, 1G', parsePages, parsePages('4K,2M,1G'))
    .option('-t, --touch <percent>', 'share that is written after the fork', parseShare, parseShare('10%'))
    .option('-x, --exec', 'the child replaces itself at once, as a shell starts a command')
    .option('--json', 'print JSON instead of a table')
    .option('--csv <file>', 'write CSV too (- prints it instead of the table)')
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk fork --resident 4G --pages 4K,2M\n  pagewalk fork --touch 50% --json',
    )
    .action((options: ForkOptions) => {
      checkOutputs(options);
      const result = forkCost({ ...options, exec: options.exec === true });
      printResult(result, options, { text: forkText, rows: forkRows });
    });
}
