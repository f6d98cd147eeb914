import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { pricesFor } from '../../compare/time/preset-prices.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import { fitWalkFactor } from '../../compare/walk-factor.js';
import { calibrate } from '../../host/calibrate/calibrate.js';
import { CompileError } from '../../host/compile.js';
import { CalibrateError } from '../../host/calibrate/measured-prices.js';
import { ownPricesPath } from '../../host/calibrate/prices-path.js';
import type { CalibrateResult } from '../../report/results/calibrate-result.js';
import type { MachinePrices } from '../../report/results/prices.js';
import { printable, printableText } from '../../report/output/printable.js';
import { calibrateText } from '../../report/views/calibrate-views.js';
import { CommandFailure, explainSystemError } from '../failure.js';
import { interruptible } from '../interruption.js';
import { parseBytes, parseCount, tlbOption } from '../options.js';
import { checkOutputs, printJson, writeOutput } from '../output.js';
import { thisPricedHost } from '../priced-host.js';
import { Progress } from '../progress.js';

interface CalibrateCommandOptions {
  readonly output?: string;
  readonly size: number;
  readonly rounds: number;
  readonly tlb: TlbGeometry;
  readonly plot?: string;
  readonly json?: true;
}

/** Smaller arrays do not reach beyond the TLB. */
const LEAST_SIZE = 2 ** 26;

/** A power of two: arrays double from 16 KiB on. */
function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes < LEAST_SIZE)
    throw new InvalidArgumentError('Give 64M or more: smaller arrays are within the reach of TLBs.');
  return 2 ** Math.floor(Math.log2(bytes));
}

/** The measured prices, and the time of walks here over their reads in the model: unknown when nothing tells. */
async function withWalkFactor(
  result: CalibrateResult,
  tlb: TlbGeometry,
  signal: AbortSignal,
): Promise<CalibrateResult> {
  const prices = { ...pricesFor(tlb.name), ...result.prices } as MachinePrices;
  const checkSignal = async (): Promise<void> => {
    // Signals come between turns of the event loop alone.
    await setImmediate();
    signal.throwIfAborted();
  };
  const walkFactor = await fitWalkFactor(prices, tlb, checkSignal);
  await checkSignal();
  return walkFactor === undefined ? result : { ...result, prices: { ...result.prices, walkFactor } };
}

/** Undefined when it was interrupted. */
async function run(
  { size, rounds, tlb }: CalibrateCommandOptions,
  signal: AbortSignal,
): Promise<CalibrateResult | undefined> {
  const progress = new Progress('calibrating', 'samples');
  const onProgress = (done: number, total: number): void => void progress.update(done, total);
  try {
    const measured = await calibrate({ size, rounds, host: thisPricedHost(), onProgress, signal });
    return await withWalkFactor(measured, tlb, signal);
  } catch (error) {
    progress.end();
    if (!signal.aborted) {
      throw error instanceof CalibrateError || error instanceof CompileError
        ? new CommandFailure(error.message)
        : error;
    }
    process.stderr.write('interrupted; nothing was written\n');
    return undefined;
  } finally {
    progress.end();
  }
}

/** The folder of the usual file may not be there yet. */
function makeFolderOf(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw explainSystemError(error, `write '${path}'`);
  }
}

/** The option for compare to take the prices: none for the file of this host. */
function wordsFor({ output, tlb }: CalibrateCommandOptions, path: string): string[] {
  return [
    ...(tlb.name === MODEL_DEFAULT.name ? [] : ['--tlb', tlb.name]),
    ...(output === undefined ? [] : ['--costs', path]),
  ];
}

/** `pagewalk calibrate`: the costs of memory on this host. */
export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description(
      'Measures in about a minute what memory costs here (caches, TLBs, walks, first\ntouch, fork; 4 KiB against 2 MiB pages), and writes the prices for compare.\nLinux only. Let the machine rest meanwhile.',
    )
    .option('-o, --output <file>', "the file of prices (default: this host's, in the user's cache)")
    .addOption(
      new Option('--size <bytes>', 'largest of the arrays; takes twice that memory')
        .argParser(parseSize)
        .default(2 ** 29, '512M'),
    )
    .option('--rounds <count>', 'how often everything is measured anew', (text: string) => parseCount(text), 5)
    .addOption(tlbOption())
    .option('--plot <file>', 'write loads by size of array as SVG too')
    .option('--json', 'print JSON instead of tables')
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk calibrate --plot loads.svg\n  pagewalk calibrate -o here.json --size 256M --rounds 1 --json',
    )
    .action(async (options: CalibrateCommandOptions) => {
      const output = options.output ?? ownPricesPath();
      if (options.output === undefined) makeFolderOf(output);
      checkOutputs({}, { '--output': output, '--plot': options.plot });
      const result = await interruptible((signal) => run(options, signal));
      if (result === undefined) return;
      writeOutput('--output', output, `${JSON.stringify(result.prices, undefined, 2)}\n`);
      if (options.plot !== undefined) {
        const { calibratePlot } = await import('../../report/views/calibrate-plot.js');
        writeOutput('--plot', options.plot, calibratePlot(printable(result)));
      }
      if (options.json === true) printJson(result);
      else process.stdout.write(calibrateText(printable(result)));
      const next = ['pagewalk compare', ...wordsFor(options, output), 'TRACE'].join(' ');
      process.stderr.write(`${printableText(`written to ${output}; next: ${next}`)}\n`);
    });
}
