import { Argument, Command } from 'commander';
import { LABS } from '../../lab/labs.js';
import { runLab } from '../../lab/story.js';
import { labList, labText } from '../../report/views/lab-views.js';
import { SCHEMA_VERSION } from '../../report/results/schema-version.js';
import { parseChoice } from '../options.js';
import { printJson } from '../output.js';

interface LabOptions {
  readonly json?: true;
}

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
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', '\nExamples:\n  pagewalk lab fork\n  pagewalk lab segment-cow --json')
    .action((name: string | undefined, options: LabOptions) => {
      const json = options.json === true;
      const lab = LABS.find((candidate) => candidate.name === name);
      if (lab === undefined) {
        printList(json);
        return;
      }
      const result = runLab(lab);
      if (json) printJson(result);
      else process.stdout.write(labText(result));
    });
}
