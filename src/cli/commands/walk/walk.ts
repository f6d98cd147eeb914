import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { parseAddress } from '../../../../hw/base/address.js';
import type { Word64 } from '../../../../hw/base/address.js';
import type { Mmu } from '../../../../hw/x86/mmu.js';
import { X86_MODES } from '../../../../hw/x86/format.js';
import { DEMO_ADDRESSES, demoState, demoStateInput } from '../../../explain/demo-states.js';
import { buildMachine } from '../../../explain/machine.js';
import type { AccessKind, MachineStateInput } from '../../../explain/machine-state.js';
import { playScene, SceneError, sceneJson, sceneText, sceneTitle } from '../../../explain/scene.js';
import type { Scene } from '../../../explain/scene.js';
import { machineIn, MACHINES } from '../../../explain/state-form.js';
import type { WalkMachineName } from '../../../explain/state-form.js';
import { explainSteps } from '../../../explain/walk/walk.js';
import type { WalkRequest } from '../../../explain/walk/walk.js';
import { stepLines } from '../../../explain/walk/walk-steps.js';
import { walkText } from '../../../explain/walk/walk-text.js';
import type { Lab } from '../../../lab/story.js';
import { CommandFailure } from '../../failure.js';
import { readJsonOrInput } from '../../json-file.js';
import { accessOption, choiceAdvice, parseChoice, parseCount } from '../../options.js';
import { printJson } from '../../output.js';
import { inState } from '../../state-file.js';
import { printWalk } from '../../walk-output.js';
import type { WalkOutputOptions } from '../../walk-output.js';
import { modeOf, MODES } from './walk-modes.js';
import type { Mode } from './walk-modes.js';

interface WalkCommandOptions extends WalkOutputOptions {
  readonly access: AccessKind;
  readonly user?: true;
  readonly machine: WalkMachineName;
  readonly mode?: Mode;
  readonly state?: string;
  readonly lab?: string;
  readonly step?: number;
  readonly process?: number;
  readonly printState?: true;
}

function parseLinear(text: string): Word64 {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('Give a hexadecimal address of at most 64 bits, such as 0x401000 or 401000.');
}

const LAB_FLAGS = '--lab <name>';

/** Labs take longer to load than a walk takes: a command without one does not wait for them. */
async function loadLab(name: string): Promise<Lab> {
  const { WALK_LABS } = await import('../../../explain/walk/walk-labs.js');
  const lab = WALK_LABS.find((candidate) => candidate.name === name);
  if (lab !== undefined) return lab;
  const names = WALK_LABS.map((known) => known.name);
  throw new CommandFailure(`option '${LAB_FLAGS}' argument '${name}' is invalid. ${choiceAdvice(name, names)}`, 2);
}

/** The scene of `--lab`; `--step` and `--process` need it. */
async function sceneFor({ lab: name, step, process }: WalkCommandOptions): Promise<Scene | undefined> {
  if (name === undefined) {
    if (step === undefined && process === undefined) return undefined;
    throw new CommandFailure(`${step === undefined ? '--process' : '--step'} is for a lab; name it with --lab`, 2);
  }
  const lab = await loadLab(name);
  try {
    return playScene(lab, step, process);
  } catch (error) {
    throw error instanceof SceneError ? new CommandFailure(error.message, 2) : error;
  }
}

/** The demonstration of x86 as a state file. */
async function x86Demo(mode: Mode | undefined): Promise<MachineStateInput> {
  const own = modeOf('x86', mode);
  if (own !== 'nested') return demoStateInput(own);
  return (await import('../../../explain/nested/nested-demo.js')).nestedState();
}

/** The validator of states takes a while to load, so only those wait for it who have a file, or a host's tables. */
async function machineFor({ state, mode }: WalkCommandOptions, file: unknown): Promise<Mmu> {
  const own = modeOf('x86', mode);
  if (state === undefined && own !== 'nested') return buildMachine(demoState(own)).mmu;
  const { parseState } = await import('../../../explain/machine-state.js');
  if (state === undefined) return buildMachine(parseState(await x86Demo(mode))).mmu;
  return inState(state, () => buildMachine(parseState(file)).mmu);
}

/** Refuses options that only x86 has: those with a value. */
function refuseX86Options(options: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(options).find(([, value]) => value !== undefined);
  if (given !== undefined) throw new CommandFailure(`--${given[0]} is for --machine x86; leave it out`, 2);
}

/** Refuses what only labs on x86 have. */
function refuseLabs({ lab, step, process: pid }: WalkCommandOptions): void {
  refuseX86Options({ lab, step, process: pid });
}

/** An address too large for 32-bit registers is a mistake in the command line, not a fault. */
function checkWidth(mmu: Mmu, { hi }: Word64, text: string): void {
  const { linearBits, title } = X86_MODES[mmu.rules.mode];
  if (hi === 0 || linearBits > 32) return;
  throw new CommandFailure(`ADDRESS ${text}: linear addresses of ${title} have 32 bits; give at most 0xffffffff`, 2);
}

/** A walk of a guest through its host's tables. */
async function walkNested(mmu: Mmu, request: WalkRequest, options: WalkCommandOptions): Promise<void> {
  const { explainNestedSteps } = await import('../../../explain/nested/x86-nested.js');
  const { nestedWalkText } = await import('../../../explain/nested/nested-text.js');
  const { result, steps } = explainNestedSteps(mmu, request);
  printWalk(result, steps, options, nestedWalkText, stepLines);
}

async function walkX86(
  address: Word64 | undefined,
  options: WalkCommandOptions,
  text: string,
  file: unknown,
): Promise<void> {
  const scene = await sceneFor(options);
  if (address === undefined) {
    if (scene === undefined) throw new CommandFailure('ADDRESS is missing; give one such as 0x401000', 2);
    if (options.json === true) printJson(sceneJson(scene));
    else process.stdout.write(sceneText(scene));
    return;
  }
  const mmu = scene?.stage.mmu ?? (await machineFor(options, file));
  checkWidth(mmu, address, text);
  const request = { ...address, access: options.access, user: options.user === true };
  if (mmu.vm.current !== null) {
    await walkNested(mmu, request, options);
    return;
  }
  const { result, steps } = explainSteps(mmu, request);
  const title = scene === undefined ? '' : `${sceneTitle(scene)}\n`;
  printWalk(result, steps, options, (walk) => title + walkText(walk), stepLines);
}

/** Most addresses of the demonstration on a line of the help. */
const MOST_EXAMPLES = 8;

/** `pagewalk walk`: the way of an address through the tables, and its reasons. */
export function walkCommand(): Command {
  const everywhere = DEMO_ADDRESSES.filter(({ modes }) => modes === undefined).slice(0, MOST_EXAMPLES);
  const own = ['state', 'lab'];
  return new Command('walk')
    .summary('why did this address fault?')
    .description(
      'Walks one address through TLB and page tables, entry by entry. ADDRESS is\nhexadecimal; with --lab it may be left out: all. ' +
        `Try\n${everywhere.map(({ address }) => address).join(' ')}.`,
    )
    .addArgument(new Argument('[ADDRESS]').argParser(parseLinear))
    .addOption(accessOption())
    .option('-u, --user', 'in user mode; without it, as the kernel')
    .addOption(
      new Option('-m, --mode <mode>', '4l 5l pae 32, riscv sv39 sv32, aarch64 4k 16k 64k; nested')
        .argParser(parseChoice([...new Set(Object.values(MODES).flat())]))
        .conflicts(own),
    )
    .addOption(
      new Option('--machine <name>', "x86, aarch64, riscv (xv6's first process), toy (few bits)")
        .argParser(parseChoice(MACHINES))
        .default('x86'),
    )
    .addOption(new Option('--state <file>', 'your machine, of any kind; --machine toy: a preset too').conflicts('lab'))
    .option(LAB_FLAGS, 'as a lab leaves it: demand, huge or those of pagewalk lab')
    .option('--step <number>', 'as it is after this step of the lab', (value) => parseCount(value))
    .option('--process <pid>', 'the process of the lab whose tables are walked', (value) => parseCount(value))
    .option('--events', 'list each step that the processor took, too')
    .option('--json', 'print JSON instead of text')
    .addOption(new Option('--print-state', 'print the demonstration as a state file, to edit').conflicts('lab'))
    .addHelpText(
      'after',
      '\nExamples:\n  pagewalk walk 0x602000 --access write --user --events\n' +
        '  pagewalk walk 0x400000 --access write --user --lab fork --step 2',
    )
    .action(async (address: Word64 | undefined, options: WalkCommandOptions, command: Command) => {
      const text = command.args.at(0) ?? '';
      const { state, printState } = options;
      if (printState === true && state !== undefined && options.machine !== 'toy') {
        throw new CommandFailure('--print-state and --state: the file is a state already; leave one out', 2);
      }
      if (options.machine === 'toy') {
        const { mode } = options;
        refuseX86Options({ mode });
        refuseLabs(options);
        (await import('./walk-toy.js')).walkToy(address, options, text);
        return;
      }
      const file = state === undefined ? undefined : readJsonOrInput(state, '--state');
      const isChosen = command.getOptionValueSource('machine') !== 'default';
      const machine = isChosen ? options.machine : inState(state ?? '', () => machineIn(file));
      if (machine === 'toy') (await import('./walk-toy.js')).walkToy(address, options, text, file);
      else if (machine !== 'x86') {
        refuseLabs(options);
        await (await import('./walk-radix.js')).walkRadix(machine, address, options, text, file);
      } else if (printState === true) printJson(await x86Demo(options.mode));
      else await walkX86(address, options, text, file);
    });
}
