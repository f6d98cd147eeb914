import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_COSTS } from '../../../hw/translate/counts/cost.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { shapeText, sweep } from '../../compare/sweep/sweep.js';
import type { SweepTrace } from '../../compare/sweep/sweep-task.js';
import { printable } from '../../report/output/printable.js';
import { sweepRows, sweepText } from '../../report/views/sweep-views.js';
import { shippedTraces } from '../../trace/node/shipped.js';
import { openWorkload, WORKLOADS } from '../../trace/workload.js';
import { CommandFailure } from '../failure.js';
import { threadsOption, pagesOption, parseBytes, parseChoice, parseCount } from '../options.js';
import { checkOutputs, printResult, writeOutput, type OutputOptions } from '../output.js';
import { Progress } from '../progress.js';

/** Combinations of levels: each is a TLB to replay every trace with, at every page size. */
const MOST_COMBINATIONS = 4096;

interface SweepCommandOptions extends OutputOptions {
  readonly l1: readonly string[];
  readonly l2: readonly string[];
  readonly pages: number[];
  readonly walkCaches: boolean;
  readonly workers: number;
  readonly workload?: string;
  readonly footprint: number;
  readonly accesses: number;
  readonly plot?: string;
}

/** @throws InvalidArgumentError unless the text is one array of one level: only those can be combined with others. */
function checkLevel(shape: string): void {
  try {
    const { l2, walkCaches } = parseTlb(shape);
    if (/^\d/.test(shape) && l2.length === 0 && walkCaches === undefined) return;
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
  throw new InvalidArgumentError(`'${shape}' is not one level by itself; write ENTRIESxWAYS such as 64x4.`);
}

/** `16x4,64x4` as shapes of one level, each tried out. */
function parseShapes(text: string): string[] {
  const shapes = [...new Set(text.split(',').map((shape) => shape.trim().toLowerCase()))];
  shapes.forEach(checkLevel);
  return shapes;
}

/** The same for second levels, which may be `none`. */
function parseSecondLevels(text: string): string[] {
  const shapes = text.split(',').map((shape) => shape.trim().toLowerCase());
  const real = shapes.filter((shape) => shape !== 'none');
  if (real.length > 0) parseShapes(real.join(','));
  return [...new Set(shapes)];
}

/** @throws CommandFailure for levels with no way to put them together, or with too much work in all combinations. */
function checkCombinations({ l1, l2, walkCaches }: SweepCommandOptions): void {
  const combinations = l1.length * l2.length;
  if (combinations > MOST_COMBINATIONS) {
    const most = `at most ${MOST_COMBINATIONS} are swept at once; give shorter lists`;
    throw new CommandFailure(`--l1 and --l2 have ${combinations} combinations: ${most}`, 2);
  }
  try {
    for (const first of l1) for (const second of l2) parseTlb(shapeText(first, second, walkCaches));
  } catch (error) {
    throw new CommandFailure(`--l1 with --l2: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}

function sweepTraces(paths: readonly string[], options: SweepCommandOptions): SweepTrace[] {
  const files = [...new Set(paths)].map((path) => {
    if (path === '-') throw new CommandFailure('standard input can be read only once; give a file', 2);
    if (!existsSync(path)) throw new CommandFailure(`cannot read '${path}': there is no such file`);
    return { name: path, path };
  });
  if (options.workload !== undefined) {
    const shape = { footprint: options.footprint, accesses: options.accesses };
    try {
      openWorkload(options.workload, shape);
    } catch (error) {
      throw error instanceof RangeError ? new CommandFailure(`--${error.message}`, 2) : error;
    }
    return [...files, { name: options.workload, workload: options.workload, shape }];
  }
  return files.length > 0 ? files : shippedTraces().map(({ name, path }) => ({ name, path }));
}

/** `pagewalk sweep`: every combination of first and second level on every trace. */
export function sweepCommand(): Command {
  const names = WORKLOADS.map(({ name }) => name);
  return new Command('sweep')
    .description(
      'Which TLB would do? Replays traces with every combination of TLB levels, on all\nprocessors of this machine.',
    )
    .argument('[TRACE...]')
    .option('--l1 <shapes>', 'first levels', parseShapes, ['16x4', '32x4', '64x4', '128x8'])
    .option('--l2 <shapes>', 'second levels, or none', parseSecondLevels, ['none', '512x4', '1024x8', '1536x12'])
    .addOption(pagesOption())
    .option('--no-walk-caches', 'without paging-structure caches')
    .addOption(threadsOption('--workers'))
    .option('-w, --workload <name>', names.join(', '), parseChoice(names))
    .option('--footprint <bytes>', 'its memory', parseBytes, 2 ** 30)
    .option('--accesses <count>', 'its length', (text: string) => parseCount(text), 1_000_000)
    .option('--json', 'print JSON instead of tables')
    .option('--csv <file>', 'write CSV too (- prints it instead)')
    .option('--plot <file>', 'write a heat map as SVG too')
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk sweep app.lackey.gz --pages 4K --csv sweep.csv\n  pagewalk sweep --l1 16x4,64x4 --l2 none,1536x12 -w zipf --accesses 100k',
    )
    .action(async (paths: string[], options: SweepCommandOptions) => {
      const inputs = paths.length === 0 ? shippedTraces().map(({ path }) => path) : paths;
      checkOutputs(options, { '--csv': options.csv, '--plot': options.plot }, inputs);
      checkCombinations(options);
      const traces = sweepTraces(paths, options);
      const progress = new Progress('sweeping', 'shapes');
      const result = await sweep({
        traces,
        l1: options.l1,
        l2: options.l2,
        shifts: options.pages,
        walkCaches: options.walkCaches,
        workers: options.workers,
        costs: DEFAULT_COSTS,
        onProgress: (done, total) => void progress.update(done, total),
      }).finally(() => {
        progress.end();
      });
      if (options.plot !== undefined) {
        const { sweepPlot } = await import('../../report/views/sweep-plot.js');
        writeOutput('--plot', options.plot, sweepPlot(printable(result)));
      }
      printResult(result, options, { text: sweepText, rows: sweepRows });
    });
}
