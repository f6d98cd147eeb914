import { Argument, Command } from 'commander';
import { LABS } from '../lab/labs.js';
import { runLab } from '../lab/story.js';
import { labList, labText } from '../report/lab-views.js';
import { SCHEMA_VERSION } from '../report/schema.js';
import { parseChoice } from './options.js';

interface LabOptions {
  readonly json?: true;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function listText(json: boolean): string {
  const labs = LABS.map(({ name, title }) => ({ name, title }));
  return json ? toJson({ schemaVersion: SCHEMA_VERSION, command: 'lab', labs }) : labList(labs);
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
        process.stdout.write(listText(json));
        return;
      }
      const result = runLab(lab);
      process.stdout.write(json ? toJson(result) : labText(result));
    });
}
