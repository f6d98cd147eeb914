import { statSync } from 'node:fs';
import { Command, Option } from 'commander';
import { pageSizeName } from '../../../hw/base/address.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { parseTlb } from '../../../hw/tlb/parse.js';
import { MODEL_DEFAULT } from '../../../hw/tlb/presets.js';
import type { TraceSource } from '../../compare/compare.js';
import { CpuProfile } from '../../compare/cpu-profile.js';
import { compareOnThreads } from '../../compare/jobs/jobs.js';
import { pricesFor } from '../../compare/time/preset-prices.js';
import { fitWalkFactor } from '../../compare/walk-factor.js';
import { OutOfModelMemory } from '../../compare/machine/machine.js';
import { DEFAULT_PAGES, pageKinds } from '../../compare/machine/pages/page-kinds.js';
import type { MachineName, PagesKind } from '../../compare/machine/pages/page-kinds.js';
import { readPolicy } from '../../regions/host.js';
import type { MachinePrices } from '../../report/results/prices.js';
import { printable, printableText } from '../../report/output/printable.js';
import { ownPricesPath } from '../../host/calibrate/prices-path.js';
import { profileText } from '../../report/views/profile-view.js';
import type { CompareResult } from '../../report/results/compare-result.js';
import { compareRows, compareText } from '../../report/views/compare-views.js';
import { formatBytes } from '../../report/output/units.js';
import { openTrace } from '../../trace/node/open.js';
import { shippedTraces } from '../../trace/node/shipped.js';
import { openWorkload, WORKLOADS, type WorkloadOptions } from '../../trace/workload.js';
import { ownPrices, readPrices } from '../costs.js';
import { CommandFailure, explainSystemError } from '../failure.js';
import {
  parseBytes,
  parseChoice,
  parseCount,
  parseSeed,
  parseShare,
  threadsOption,
  tlbOption,
  machineOption,
  parsePageNames,
} from '../options.js';
import { checkOutputs, printResult, writeOutput, type OutputOptions } from '../output.js';
import { Progress } from '../progress.js';

interface CompareCommandOptions extends OutputOptions {
  readonly machine: MachineName;
  readonly pages?: string[];
  readonly tlb: TlbGeometry;
  readonly costs?: string;
  readonly force?: true;
  readonly nested?: MachinePrices['nested'];
  readonly hugeShare?: number;
  readonly fetches?: true;
  readonly lenient?: true;
  readonly workload?: string;
  readonly footprint?: number;
  readonly accesses?: number;
  readonly stride?: number;
  readonly seed?: number;
  readonly plot?: string;
  readonly profile?: true;
  readonly jobs: number;
}

/** The TLB unless told otherwise. */
const TYPICAL_TLB: Readonly<Record<MachineName, string>> = {
  x86: MODEL_DEFAULT.name,
  riscv: 'sifive-u74',
  aarch64: 'neoverse-n1',
};

const NESTED: readonly MachinePrices['nested'][] = ['none', '4K', '2M', '1G'];

/** Options that shape a workload and mean nothing without one. */
const WORKLOAD_OPTIONS = ['footprint', 'accesses', 'stride'] as const;

function workloadSource(options: CompareCommandOptions): TraceSource[] {
  const { workload } = options;
  if (workload === undefined) {
    const lost = WORKLOAD_OPTIONS.find((name) => options[name] !== undefined);
    if (lost !== undefined) throw new CommandFailure(`--${lost} shapes a workload: give --workload NAME too`, 2);
    if (options.seed === undefined || options.hugeShare !== undefined) return [];
    throw new CommandFailure(
      '--seed is for a workload or for --huge-share: give --workload NAME or --huge-share too',
      2,
    );
  }
  const { footprint = 2 ** 30, accesses = 10_000_000, seed, stride } = options;
  const shape: WorkloadOptions = {
    footprint,
    accesses,
    ...(seed !== undefined && { seed }),
    ...(stride !== undefined && { stride }),
  };
  const { title = '', access = '' } = WORKLOADS.find(({ name }) => name === workload) ?? {};
  const about = `${title}; ${formatBytes(footprint)}, seed ${seed ?? 1}; an access is ${access}`;
  try {
    const trace = openWorkload(workload, shape);
    const named = { name: workload, workload, shape };
    return [{ name: workload, about, accesses, open: () => trace, named }];
  } catch (error) {
    throw error instanceof RangeError ? new CommandFailure(`--${error.message}`, 2) : error;
  }
}

/** @throws CommandFailure for a folder, whose error on reading would not name it. */
function checkNoFolder(path: string): void {
  if (path === '-' || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  throw new CommandFailure(`cannot read '${path}': it is a folder; give the traces in it by name`);
}

function traceSources(paths: readonly string[], options: CompareCommandOptions): TraceSource[] {
  const reading = { lenient: options.lenient === true, fetches: options.fetches === true };
  const generated = workloadSource(options);
  paths.forEach(checkNoFolder);
  const file = (path: string): TraceSource => ({
    name: path,
    open: () => openTrace(path, reading),
    named: { name: path, path, reading },
  });
  const stdin: TraceSource = { name: 'standard input', open: () => openTrace('-', reading) };
  const named = [...new Set(paths)].map((path) => (path === '-' ? stdin : file(path)));
  if (named.length + generated.length > 0) return [...named, ...generated];
  return shippedTraces().map(({ name, title, path }) => ({ ...file(path), name, about: title }));
}

/** With a share of 2 MiB pages the answer is of them: pages of 1 GiB are compared only if they are asked for. */
function pagesAsked({ machine, pages, hugeShare }: CompareCommandOptions): readonly string[] {
  if (hugeShare === undefined) return pages ?? DEFAULT_PAGES[machine];
  if (machine !== 'x86') throw new CommandFailure(`--huge-share is for --machine x86, not ${machine}`, 2);
  if (pages?.includes('2M') !== false) return pages ?? ['4K', '2M'];
  throw new CommandFailure('--huge-share is of 2M pages, and --pages leaves them out: give --pages 4K,2M', 2);
}

/** @throws CommandFailure for pages that the machine does not have */
function kindsOf(options: CompareCommandOptions): PagesKind[] {
  const { machine } = options;
  try {
    return pageKinds(machine, pagesAsked(options));
  } catch (error) {
    throw error instanceof RangeError ? new CommandFailure(`--pages: ${error.message}`, 2) : error;
  }
}

/** Failures of a comparison in the words of its options. */
function explainCompareError(error: unknown, options: CompareCommandOptions): unknown {
  if (!(error instanceof OutOfModelMemory)) return explainSystemError(error);
  const size = pageSizeName(error.shift);
  const limit = `the model's ${formatBytes(error.ramBytes)} of RAM hold too few ${size} pages for what this trace touches`;
  const smaller = kindsOf(options).filter(({ shift }) => shift < error.shift);
  const fix = smaller.length > 0 ? smaller.map(({ name }) => name) : ['4K'];
  return new CommandFailure(`--pages ${size}: ${limit}; leave ${size} out: --pages ${fix.join(',')}`);
}

/** In place of a file: those of a processor, though this host was calibrated. */
const PRESET = 'preset';

/** Machines as Node names those of its host. */
const HERE: Readonly<Record<string, MachineName>> = { x64: 'x86', arm64: 'aarch64', riscv64: 'riscv' };

function filePrices(options: CompareCommandOptions, preset: MachinePrices): Partial<MachinePrices> {
  const { machine, tlb, costs, force } = options;
  if (costs === PRESET) return {};
  if (costs !== undefined) return readPrices(costs, preset, force === true);
  if (HERE[process.arch] !== machine) return {};
  const { prices, note } = ownPrices(tlb.name, preset, force === true);
  if (note !== undefined) process.stderr.write(`${printableText(`note: ${note}`)}\n`);
  return prices;
}

/**
 * The prices of the file, of this host, or of the processor with this TLB; `--nested` overrides their host. Measured
 * prices know the time of walks here, after some seconds of work the first time for a TLB.
 */
async function pricesOf(options: CompareCommandOptions): Promise<MachinePrices> {
  const { tlb, nested } = options;
  const preset = pricesFor(tlb.name);
  const file = filePrices(options, preset);
  const prices = { ...preset, ...file, ...(nested !== undefined && { nested }) };
  const known = file.walkFactor !== undefined && [undefined, tlb.name].includes(file.walkFactor.tlb);
  if (file.loads === undefined || known) return prices;
  return { ...prices, walkFactor: (await fitWalkFactor(prices, tlb)) ?? preset.walkFactor };
}

function pricesRead({ costs }: CompareCommandOptions): string[] {
  return costs === PRESET ? [] : [costs ?? ownPricesPath()];
}

async function run(
  paths: readonly string[],
  options: CompareCommandOptions,
  profile?: CpuProfile,
): Promise<CompareResult> {
  const progress = new Progress('comparing');
  const { hugeShare } = options;
  try {
    const comparison = {
      sources: traceSources(paths, options),
      machine: options.machine,
      pages: kindsOf(options).map(({ name }) => name),
      ...(hugeShare !== undefined && { hugeShare: { share: hugeShare, seed: options.seed ?? 1 } }),
      fetches: options.fetches === true,
      tlb: options.tlb,
      prices: await pricesOf(options),
      ...(process.platform === 'linux' && { policy: readPolicy(process.pid) }),
      ...(profile !== undefined && { profile }),
      onProgress: (done: number, total: number | undefined) => progress.update(done, total),
    };
    // A profile is of one thread.
    return await compareOnThreads(comparison, profile === undefined ? options.jobs : 1);
  } catch (error) {
    throw explainCompareError(error, options);
  } finally {
    progress.end();
  }
}

/** `pagewalk compare`: what page sizes do to traces and workloads. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('Would huge pages help? Replays traces (lackey or packed; - is standard input).')
    .argument('[TRACE...]')
    .addOption(new Option('-p, --pages <sizes>', 'page sizes (default: 4K,2M,1G)').argParser(parsePageNames))
    .addOption(machineOption())
    .addOption(tlbOption())
    .option('--costs <file>', 'prices, or preset (default: as calibrate wrote here)')
    .addOption(new Option('--force', 'take the prices of another machine too').hideHelp())
    .option('--nested <size>', 'pages of the host below: none, 4K, 2M or 1G', parseChoice(NESTED))
    .option('--huge-share <share>', 'of the places for a 2M page those that get one, as 60%', parseShare)
    .option('--fetches', 'instruction fetches too, reported apart')
    .addOption(new Option('--profile', 'say on standard error where the CPU time went').hideHelp())
    .option('--lenient', 'skip and count malformed lines')
    .option(
      '-w, --workload <name>',
      'stream, stride (--stride 4K), uniform, chase or zipf',
      parseChoice(WORKLOADS.map(({ name }) => name)),
    )
    .option('--footprint <bytes>', 'its memory (default: 1G)', parseBytes)
    .option('--accesses <count>', 'its length (default: 10M); --seed <number> its seed', (text) => parseCount(text))
    .addOption(new Option('--stride <bytes>', 'its step (default: 4K)').argParser(parseBytes).hideHelp())
    .addOption(new Option('--seed <number>', 'its seed, or that of --huge-share').argParser(parseSeed).hideHelp())
    .addOption(threadsOption('--jobs'))
    .option('--json', 'print JSON instead of tables')
    .option('--csv <file>', 'write CSV too (- prints it); --plot <file> an SVG chart')
    .addOption(new Option('--plot <file>', 'write a chart as SVG too').hideHelp())
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk compare app.lackey.gz --tlb zen4\n  pagewalk compare -w zipf --footprint 1G --accesses 100k --csv zipf.csv',
    )
    .action(async (paths: string[], given: CompareCommandOptions, command: Command) => {
      const named = command.getOptionValueSource('tlb') !== 'default';
      const options = named ? given : { ...given, tlb: parseTlb(TYPICAL_TLB[given.machine]) };
      const shipped = paths.length === 0 ? shippedTraces().map(({ path }) => path) : [];
      const inputs = [...paths, ...shipped, ...pricesRead(options)];
      checkOutputs(options, { '--csv': options.csv, '--plot': options.plot }, inputs);
      const profile = options.profile === true ? new CpuProfile() : undefined;
      const result = await run(paths, options, profile);
      if (profile !== undefined) process.stderr.write(profileText(profile.seconds()));
      if (options.plot !== undefined) {
        const { comparePlot } = await import('../../report/views/compare-plot.js');
        writeOutput('--plot', options.plot, comparePlot(printable(result)));
      }
      printResult(result, options, { text: compareText, rows: compareRows });
    });
}
