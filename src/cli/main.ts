#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { compareCommand } from './compare.js';
import { conformCommand } from './conform.js';
import { CommandFailure } from './failure.js';
import { forkCommand } from './fork.js';
import { recordCommand } from './record.js';

const FAILED = 1;
const USAGE = 2;

function packageVersion(): string {
  // From dist/src/cli/ up to the package.
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Settings of the program hold for its commands too, also for those that other files made. */
function addCommands(parent: Command, commands: readonly Command[]): void {
  for (const command of commands) {
    command.copyInheritedSettings(parent);
    addCommands(command, command.commands);
    if (!parent.commands.includes(command)) parent.addCommand(command);
  }
}

function buildProgram(): Command {
  const program = new Command('pagewalk')
    .description('Would huge pages help this program? What would fork cost it?')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .addHelpText(
      'after',
      '\nWithout a command, compare runs on the traces that ship with pagewalk.\n\nExamples:\n  pagewalk\n  pagewalk fork --resident 1G --touch 25%',
    );
  addCommands(program, [compareCommand(), forkCommand(), recordCommand(), conformCommand()]);
  return program;
}

/** `pagewalk [options] [TRACE...]` means `pagewalk compare …`; a word that is neither command nor file stays an error. */
function withDefaultCommand(program: Command, words: readonly string[]): string[] {
  const first = words.at(0);
  const asksProgram = first !== undefined && ['-h', '--help', '-V', '--version', 'help'].includes(first);
  const isCommand = program.commands.some((command) => command.name() === first);
  const meansTrace = first === undefined || /[-./]/.test(first) || existsSync(first);
  return !asksProgram && !isCommand && meansTrace ? ['compare', ...words] : [...words];
}

/** Says what went wrong, without a stack trace, and gives the exit code. */
function explain(error: unknown): number {
  // Commander has printed its own message by now; asking for help or the version is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`error: ${message}\n`);
  return error instanceof CommandFailure ? error.exitCode : FAILED;
}

// A reader that closes early, as `head` does, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : explain(error));
});

const program = buildProgram();
try {
  await program.parseAsync(withDefaultCommand(program, process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = explain(error);
}
