import { Argument, Command, Option } from 'commander';
import { LABS } from '../../lab/labs.js';
import { LAB_MACHINES } from '../../lab/lab-machines.js';
import type { LabMachine } from '../../lab/lab-machines.js';
import { runLab } from '../../lab/story.js';
import { labList, labText } from '../../report/views/lab-views.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { CommandFailure } from '../failure.js';
import { parseChoice } from '../options.js';
import { printJson } from '../output.js';

interface LabOptions {
  readonly machine: LabMachine;
  readonly json?: true;
}

/** Labs of every machine. */
const EVERYWHERE = LABS.filter(({ everywhere }) => everywhere === true).map(({ name }) => name);

function printList(json: boolean): void {
  const labs = LABS.map(({ name, title }) => ({ name, title }));
  if (json) printJson({ schemaVersion: SCHEMA_VERSION, command: 'lab', labs });
  else process.stdout.write(labList(labs));
}

/** `pagewalk lab`: the textbook's scenarios, each run on the emulated machine. */
export function labCommand(): Command {
  return new Command('lab')
    .description('Run a scenario of the textbook on both kernels; without a name, list them.')
    .addArgument(new Argument('[name]', 'the scenario').argParser(parseChoice(LABS.map(({ name }) => name))))
    .addOption(
      new Option('--machine <name>', `of ${EVERYWHERE.join(', ')}: x86, riscv or aarch64`)
        .argParser(parseChoice(LAB_MACHINES))
        .default('x86'),
    )
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExamples:\n  pagewalk lab fork --machine riscv\n  pagewalk lab segment-cow --json')
    .action((name: string | undefined, options: LabOptions) => {
      const json = options.json === true;
      const lab = LABS.find((candidate) => candidate.name === name);
      if (lab === undefined) {
        printList(json);
        return;
      }
      const { machine } = options;
      if (machine !== 'x86' && lab.everywhere !== true) {
        throw new CommandFailure(
          `--machine ${machine}: lab ${lab.name} runs on x86; on other machines there are ${EVERYWHERE.join(', ')}`,
          2,
        );
      }
      const result = runLab(lab, machine);
      if (json) printJson(result);
      else process.stdout.write(labText(result));
    });
}
