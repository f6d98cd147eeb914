/** The command line without the process around it: the effect of the words after `pagewalk`. */

import { existsSync } from 'node:fs';
import { Command, CommanderError, Help, type HelpConfiguration } from 'commander';
import { errorText } from '../report/output/printable.js';
import { packageVersion } from '../host/package-file.js';
import { CommandFailure } from './failure.js';

const FAILED = 1;
const USAGE = 2;

/** Settings of the parent hold for the command and its own commands too: another file made those. */
function addCommand(parent: Command, command: Command): void {
  if (!parent.commands.includes(command)) parent.addCommand(command);
  command.copyInheritedSettings(parent);
  for (const child of command.commands) addCommand(command, child);
}

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command; only the chosen one is loaded, because some take a while. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  compare: {
    summary: 'would huge pages help a program?',
    load: async () => (await import('./commands/compare.js')).compareCommand(),
  },
  try: {
    summary: 'do huge pages help it? runs it with and without',
    load: async () => (await import('./commands/try.js')).tryCommand(),
  },
  calibrate: {
    summary: 'measure what memory costs here, for compare --costs',
    load: async () => (await import('./commands/calibrate.js')).calibrateCommand(),
  },
  fork: {
    summary: 'what does a fork cost?',
    load: async () => (await import('./commands/fork.js')).forkCommand(),
  },
  sweep: {
    summary: 'which TLB would do?',
    load: async () => (await import('./commands/sweep.js')).sweepCommand(),
  },
  record: {
    summary: 'record the memory accesses of a program',
    load: async () => (await import('./commands/record.js')).recordCommand(),
  },
  conform: {
    summary: 'replay what real machines did, and compare',
    load: async () => (await import('./commands/conform.js')).conformCommand(),
  },
  lab: {
    summary: 'the scenarios of the textbook, measured',
    load: async () => (await import('./commands/lab.js')).labCommand(),
  },
  explore: {
    summary: 'walks, forks and labs as a page for the browser',
    load: async () => (await import('./commands/explore.js')).exploreCommand(),
  },
  walk: {
    summary: 'why did this address fault?',
    load: async () => (await import('./commands/walk/walk.js')).walkCommand(),
  },
  segment: {
    summary: 'what does a selector and offset reach?',
    load: async () => (await import('./commands/segment.js')).segmentCommand(),
  },
  inspect: {
    summary: "what does a live process's memory cost?",
    load: async () => (await import('./commands/inspect.js')).inspectCommand(),
  },
  watch: {
    summary: 'which memory does a live process use?',
    load: async () => (await import('./commands/watch.js')).watchCommand(),
  },
  quiz: {
    summary: 'exercises, and their answers with reasons',
    load: async () => (await import('./commands/quiz.js')).quizCommand(),
  },
  course: {
    summary: 'write a page-fault handler, and have it graded',
    load: async () => (await import('./commands/course.js')).courseCommand(),
  },
};

/** Commander's message; its suggestion of another word has a line of its own. */
function writeUsageError(text: string, write: (text: string) => void): void {
  const [, message, suggestion = ''] = /^(.*?)(\n\(Did you mean [^\n]*\))?\n$/s.exec(text) ?? ['', text];
  write(`${errorText(message)}${suggestion}\n`);
}

/** The list of commands fills a screen: the words above it tell of two options, and `help COMMAND` is the other way. */
const ONE_SCREEN: HelpConfiguration = {
  visibleOptions: (command) => (command.parent === null ? [] : new Help().visibleOptions(command)),
  visibleCommands: (command) => command.commands.filter((child) => child.name() !== 'help'),
};

async function buildProgram(wanted: string | undefined): Promise<Command> {
  const program = new Command('pagewalk')
    .description('Emulated MMUs. Alone, it compares two programs. See COMMAND --help, --version.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp(ONE_SCREEN)
    .exitOverride()
    .configureOutput({ outputError: writeUsageError })
    .addHelpText('after', '\nExamples:\n  pagewalk\n  pagewalk fork --resident 64M --touch 25%');
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    addCommand(program, name === wanted ? await load() : new Command(name).summary(summary));
  }
  return program;
}

/** `pagewalk [options] [TRACE...]` means `pagewalk compare …`; a word for neither command nor file stays an error. */
function withDefaultCommand(words: readonly string[]): string[] {
  const first = words.at(0);
  const asksProgram = first !== undefined && ['-h', '--help', '-V', '--version', 'help'].includes(first);
  const isCommand = first !== undefined && Object.hasOwn(COMMANDS, first);
  const meansTrace = first === undefined || /[-./]/.test(first) || existsSync(first);
  return !asksProgram && !isCommand && meansTrace ? ['compare', ...words] : [...words];
}

const REFUSED_MEMORY =
  'this machine refuses the memory that the model needs; raise its limit (ulimit -v) or ask for less';

/** V8 says no more than this when the operating system refuses an array. */
function isRefusedMemory(error: unknown): boolean {
  return error instanceof RangeError && /allocation failed|Invalid typed array length/.test(error.message);
}

/** If an own result breaks its schema, the validator's words help nobody. */
function messageOf(error: unknown): string {
  if (isRefusedMemory(error)) return REFUSED_MEMORY;
  if (!(error instanceof Error)) return String(error);
  if (!('issues' in error)) return error.message;
  const [{ path }] = error.issues as readonly { readonly path: readonly PropertyKey[] }[];
  return `the result's field ${path.join('.')} cannot be as it is; this is a mistake of pagewalk, please report it`;
}

/** Tells the error, without a stack trace, and gives the exit code. */
export function explain(error: unknown): number {
  // Commander has printed its own message by now; asking for help or the version is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  process.stderr.write(`error: ${errorText(messageOf(error))}\n`);
  return error instanceof CommandFailure ? error.exitCode : FAILED;
}

/**
 * Runs the command in the words after `pagewalk`. Errors are told on standard error; an exit status other than 0 is
 * left in `process.exitCode`.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  try {
    const words = withDefaultCommand(args);
    const program = await buildProgram(words.at(words[0] === 'help' ? 1 : 0));
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    process.exitCode = explain(error);
  }
}
