import { Command, InvalidArgumentError, Option } from 'commander';
import { parseAddress } from '../../hw/address.js';
import type { Word64 } from '../../hw/address.js';
import type { Mmu } from '../../hw/mmu.js';
import { X86_MODES } from '../../hw/paging/x86-format.js';
import { DEMO_ADDRESSES, DEMO_MODES, demoState, demoStateInput } from '../explain/demo-states.js';
import type { DemoMode } from '../explain/demo-states.js';
import { KERNEL_STATES } from '../explain/kernel-states.js';
import { buildMachine } from '../explain/machine.js';
import type { AccessKind } from '../explain/machine-state.js';
import { explainWalk } from '../explain/walk.js';
import { walkText } from '../explain/walk-text.js';
import { wrap } from '../report/table.js';
import { CommandFailure } from './failure.js';
import { accessOption, parseChoice } from './options.js';
import { printJson } from './output.js';
import { inState, readState } from './state-file.js';

interface WalkCommandOptions {
  readonly access: AccessKind;
  readonly user?: true;
  readonly mode?: DemoMode;
  readonly state?: string;
  readonly lab?: string;
  readonly json?: true;
  readonly printState?: true;
}

function parseLinear(text: string): Word64 {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('Give an address of at most 64 bits, such as 0x401000.');
}

function machineFor({ state, lab, mode }: WalkCommandOptions): Mmu {
  if (state !== undefined) return inState(state, () => buildMachine(readState(state)).mmu);
  const story = KERNEL_STATES.find(({ name }) => name === lab);
  return story === undefined ? buildMachine(demoState(mode ?? '4l')).mmu : story.build();
}

/** An address that 32-bit registers cannot hold is a mistake in the command line, not a fault. */
function checkWidth(mmu: Mmu, { hi }: Word64, text: string): void {
  const { linearBits, title } = X86_MODES[mmu.rules.mode];
  if (hi === 0 || linearBits > 32) return;
  throw new CommandFailure(`ADDRESS ${text}: linear addresses of ${title} have 32 bits; give at most 0xffffffff`, 2);
}

/** `pagewalk walk`: why an address leads where it leads. */
export function walkCommand(): Command {
  const everywhere = DEMO_ADDRESSES.filter(({ modes }) => modes === undefined).map(({ address }) => address);
  const labs = KERNEL_STATES.map(({ name }) => name);
  return new Command('walk')
    .summary('why did this address fault?')
    .description('Walks one address through TLB and page tables, entry by entry.')
    .argument('<ADDRESS>', 'linear address, such as 0x401000', parseLinear)
    .addOption(accessOption())
    .option('-u, --user', 'in user mode; without it, as the kernel')
    .addOption(
      new Option('-m, --mode <mode>', 'demonstration: 4l, 5l, pae or 32 (default: 4l)')
        .argParser(parseChoice(DEMO_MODES))
        .conflicts(['state', 'lab']),
    )
    .addOption(new Option('--state <file>', 'a machine of yours, as --print-state writes one').conflicts('lab'))
    .addOption(new Option('--lab <name>', `as the kernel left it: ${labs.join(', ')}`).argParser(parseChoice(labs)))
    .option('--json', 'print JSON instead of text')
    .addOption(
      new Option('--print-state', 'print the demonstration as a state file, to edit').conflicts(['state', 'lab']),
    )
    .addHelpText(
      'after',
      `\n${wrap(`Try ${everywhere.join(' ')}.`)}\n\n` +
        'Examples:\n  pagewalk walk 0x602000 --access write --user\n  pagewalk walk 0x601000 --access write --user --lab fork',
    )
    .action((address: Word64, options: WalkCommandOptions, command: Command) => {
      if (options.printState === true) {
        printJson(demoStateInput(options.mode ?? '4l'));
        return;
      }
      const mmu = machineFor(options);
      checkWidth(mmu, address, command.args[0]);
      const { access, user, json } = options;
      const result = explainWalk(mmu, { ...address, access, user: user === true });
      if (json === true) printJson(result);
      else process.stdout.write(walkText(result));
    });
}
