import { Command, InvalidArgumentError, Option } from 'commander';
import { parseAddress } from '../../../hw/base/address.js';
import { SEGMENT_NAMES, DS } from '../../../hw/x86/segmentation/register.js';
import { segmentNumber } from '../../conformance/x86/x86-machine.js';
import { buildMachine } from '../../explain/machine.js';
import type { ExplainedMachine } from '../../explain/machine.js';
import { segmentDemo, segmentDemoInput } from '../../explain/segment/segment-demo.js';
import { explainSegment } from '../../explain/segment/segment.js';
import type { SegmentAccess } from '../../explain/segment/segment-result.js';
import { segmentText } from '../../explain/segment/segment-text.js';
import { STATE_ACCESSES } from '../../explain/state-form.js';
import { CommandFailure } from '../failure.js';
import { parseChoice } from '../options.js';
import { printJson } from '../output.js';
import { inState, readState } from '../state-file.js';

interface SegmentCommandOptions {
  readonly access: SegmentAccess;
  readonly register: string;
  readonly size: string;
  readonly cpl: string;
  readonly state?: string;
  readonly json?: true;
  readonly printState?: true;
}

/** A selector and an offset as words. */
interface LogicalAddress {
  readonly selector: number;
  readonly hi: number;
  readonly lo: number;
}

function parseLogical(text: string): LogicalAddress {
  const parts = text.split(':').map(parseAddress);
  const [selector, offset] = parts;
  const fits = selector?.hi === 0 && selector.lo >= 0 && selector.lo <= 0xffff;
  if (parts.length === 2 && fits && offset !== undefined) return { selector: selector.lo, ...offset };
  throw new InvalidArgumentError(
    'Give a selector of 16 bits and an offset, both hexadecimal, such as 0x2b:0x10 or 2b:10.',
  );
}

async function machineFor({ state, cpl }: SegmentCommandOptions): Promise<ExplainedMachine> {
  if (state === undefined) return buildMachine(segmentDemo(Number(cpl)));
  const read = await readState(state);
  if (read.segments !== undefined) return inState(state, () => buildMachine(read));
  throw new CommandFailure(`${state}: segments is missing: give "segments": {"gdt": {"base": "0x8000", "limit": 95}}`);
}

/** `pagewalk segment`: the processor's checks on the way from selector and offset to memory. */
export function segmentCommand(): Command {
  const registers = SEGMENT_NAMES.map((name) => name.toLowerCase());
  return new Command('segment')
    .summary('what does a selector and offset reach?')
    .description('Takes one logical address through descriptor, checks and paging.')
    .argument('<SEL:OFF>', 'selector and offset, hexadecimal with or without 0x', parseLogical)
    .addOption(
      new Option('-a, --access <kind>', 'read, write, fetch (after a far JMP) or call (CALL)')
        .argParser(parseChoice([...STATE_ACCESSES, 'call']))
        .default('read'),
    )
    .addOption(
      new Option('-r, --register <name>', 'es, cs, ss, ds, fs or gs; code uses cs')
        .argParser(parseChoice(registers))
        .default(registers[DS]),
    )
    .addOption(
      new Option('-s, --size <bytes>', '1, 2, 4 or 8').argParser(parseChoice(['1', '2', '4', '8'])).default('4'),
    )
    .addOption(
      new Option('--cpl <level>', 'who runs: 0 to 3').argParser(parseChoice(['0', '1', '2', '3'])).default('3'),
    )
    .option('--state <file>', 'your machine, as --print-state writes; texts are hex')
    .option('--json', 'print JSON instead of text')
    .option('--print-state', 'print the demonstration as a state file, to edit')
    .addHelpText(
      'after',
      '\nTry 0x23 (data), 0x2b (8 KiB), 0x33 (read-only), 0x43 (not present), 0x10, 7,\n0x5b and 0x63 (call gates).\n\n' +
        'Examples:\n  pagewalk segment 0x2b:0x1ffe --access write\n  pagewalk segment 0x63:0 --access call',
    )
    .action(async (address: LogicalAddress, options: SegmentCommandOptions, command: Command) => {
      if (options.state !== undefined && command.getOptionValueSource('cpl') === 'cli') {
        throw new CommandFailure('--cpl is for the demonstration; a state file has its own, segments.cpl', 2);
      }
      if (options.printState === true) {
        printJson(segmentDemoInput(Number(options.cpl)));
        return;
      }
      const machine = await machineFor(options);
      checkOffset(machine, address, command.args[0]);
      const register = segmentNumber(options.register);
      const { access, json } = options;
      const result = explainSegment(machine, { ...address, access, register, size: Number(options.size) });
      if (json === true) printJson(result);
      else process.stdout.write(segmentText(result));
    });
}

function checkOffset({ unit }: ExplainedMachine, { hi }: LogicalAddress, text: string): void {
  if (hi === 0 || unit.is64Bit) return;
  throw new CommandFailure(`SEL:OFF ${text}: offsets have 32 bits in ${unit.mode} mode; give at most 0xffffffff`, 2);
}
