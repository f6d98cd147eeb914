/** Compares the machine's outcome with the recorded one. */

import { Command, Option } from 'commander';
import { conformArm } from '../../conformance/arm/arm.js';
import { conformLinux, linuxText, valuesAndPagesPassed } from '../../conformance/linux/linux.js';
import type { LinuxResult } from '../../conformance/linux/linux.js';
import { LINUX_MACHINES } from '../../conformance/linux/linux-machine.js';
import type { LinuxMachineOptions } from '../../conformance/linux/linux-machine.js';
import { allPassed, resultText } from '../../conformance/recording/result.js';
import { conformRiscv } from '../../conformance/riscv/riscv.js';
import { conformX86 } from '../../conformance/x86/x86.js';
import { printableLines } from '../../report/output/printable.js';
import { CommandFailure, explainSystemError } from '../failure.js';
import { parseChoice } from '../options.js';
import { conformOstep } from '../../conformance/ostep.js';
import { printJson } from '../output.js';

interface ConformOptions extends LinuxMachineOptions {
  readonly json?: true;
}

/** How recordings of one kind are replayed and shown. */
interface Replay<Result> {
  readonly recordings: string;
  readonly run: (files: readonly string[], options: ConformOptions) => Result;
  readonly text: (result: Result) => string;
  readonly passed: (result: Result) => boolean;
}

/** `pagewalk conform`: replays recordings of real machines, and compares. */
export function conformCommand(): Command {
  return new Command('conform')
    .description('Replay what real machines did, and compare.')
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk conform x86 x86.jsonl.gz\n  pagewalk conform linux --json linux.jsonl.gz',
    )
    .addCommand(
      replayCommand('x86', {
        recordings: 'translations and segment loads of x86 processors',
        run: conformX86,
        text: resultText,
        passed: allPassed,
      }),
    )
    .addCommand(
      replayCommand('riscv', {
        recordings: 'translations of RISC-V processors',
        run: conformRiscv,
        text: resultText,
        passed: allPassed,
      }),
    )
    .addCommand(
      replayCommand('arm', {
        recordings: 'translations of AArch64 processors',
        run: conformArm,
        text: resultText,
        passed: allPassed,
      }),
    )
    .addCommand(
      replayCommand('linux', {
        recordings: 'programs of memory operations under a Linux kernel',
        run: runLinux,
        text: linuxText,
        passed: valuesAndPagesPassed,
      })
        .addOption(
          new Option('--machine <name>', LINUX_MACHINES.join(', '))
            .argParser(parseChoice(LINUX_MACHINES))
            .default('x86'),
        )
        .option('--software-marks', 'the processor leaves accessed and dirty bits to the kernel'),
    )
    .addCommand(
      replayCommand('ostep', {
        recordings: 'answers of the homework simulators of OSTEP',
        run: conformOstep,
        text: resultText,
        passed: allPassed,
      }),
    );
}

function runLinux(files: readonly string[], options: ConformOptions): LinuxResult {
  if (options.machine === 'x86' && options.softwareMarks === true) {
    throw new CommandFailure('--software-marks is for --machine riscv or aarch64: x86 always sets the bits itself', 2);
  }
  return conformLinux(files, options);
}

/** A subcommand for recordings of one kind; exit code 1 when a case fails. */
function replayCommand<Result>(name: string, { recordings, run, text, passed }: Replay<Result>): Command {
  return new Command(name)
    .description(`Replay recorded ${recordings}: JSON lines, plain or .gz.`)
    .argument('<files...>', 'recordings')
    .option('--json', 'print the counts as JSON')
    .addHelpText(
      'after',
      `\nExamples:\n  pagewalk conform ${name} ${name}.jsonl.gz\n  pagewalk conform ${name} --json ${name}.jsonl.gz`,
    )
    .action((files: string[], options: ConformOptions) => {
      const result = replayFiles(files, (paths) => run(paths, options));
      if (options.json === true) printJson(result);
      else process.stdout.write(printableLines(text(result)));
      if (!passed(result)) process.exitCode = 1;
    });
}

function replayFiles<Result>(files: readonly string[], run: (files: readonly string[]) => Result): Result {
  try {
    return run(files);
  } catch (error) {
    const path = error instanceof Error && 'path' in error ? String(error.path) : files.join(', ');
    throw explainSystemError(error, `read '${path}'`);
  }
}
