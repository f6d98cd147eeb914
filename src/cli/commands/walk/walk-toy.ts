/** `pagewalk walk --machine toy`: a walk on a machine of a few bits, or the machine itself. */

import { toNumber } from '../../../../hw/base/address.js';
import type { Word64 } from '../../../../hw/base/address.js';
import type { ToyMachine } from '../../../../hw/toy/machine.js';
import type { AccessKind } from '../../../explain/machine-state.js';
import { dumpToy } from '../../../explain/toy/toy-dump.js';
import { TOY_PRESETS } from '../../../explain/toy/toy-presets.js';
import { buildToy, parseToyState } from '../../../explain/toy/toy-state.js';
import { toyDumpText, toyEventLines, toyWalkText } from '../../../explain/toy/toy-text.js';
import { explainToyWalk } from '../../../explain/toy/toy-walk.js';
import { CommandFailure } from '../../failure.js';
import { readJsonOrInput } from '../../json-file.js';
import { choiceAdvice } from '../../options.js';
import { printJson } from '../../output.js';
import { inState } from '../../state-file.js';
import { printWalk } from '../../walk-output.js';
import type { WalkOutputOptions } from '../../walk-output.js';

interface ToyOptions extends WalkOutputOptions {
  readonly access: AccessKind;
  readonly user?: true;
  readonly state?: string;
  readonly printState?: true;
}

/** The state of a preset by name, or of a file. */
function stateOf(name: string): unknown {
  if (Object.hasOwn(TOY_PRESETS, name)) return TOY_PRESETS[name];
  // A word alone is meant as a name; a file of such a name is ./name.
  if (/^[a-z-]{2,}$/i.test(name)) {
    const advice = choiceAdvice(name, Object.keys(TOY_PRESETS));
    throw new CommandFailure(`option '--state' argument '${name}' is no toy machine. ${advice}`, 2);
  }
  return readJsonOrInput(name, '--state');
}

function checkAddress({ shape }: ToyMachine, { hi, lo }: Word64, text: string): number {
  const address = toNumber(hi, lo);
  const most = 2 ** shape.virtualBits - 1;
  if (address <= most) return address;
  const bits = `virtual addresses of this machine have ${shape.virtualBits} bits`;
  throw new CommandFailure(`ADDRESS ${text}: ${bits}; give at most 0x${most.toString(16)}`, 2);
}

/**
 * Walks one address, or shows the machine.
 * @param text the address as it was typed
 * @param file the state's content, if it was read already
 */
export function walkToy(address: Word64 | undefined, options: ToyOptions, text: string, file?: unknown): void {
  const { state = 'linear', access, user, json, printState } = options;
  const input = file ?? stateOf(state);
  if (printState === true) {
    printJson(input);
    return;
  }
  const { machine, about } = inState(state, () => {
    const parsed = parseToyState(input);
    return { machine: buildToy(parsed), about: parsed.about };
  });
  if (address === undefined) {
    const dump = dumpToy(machine, about);
    if (json === true) printJson(dump);
    else process.stdout.write(toyDumpText(dump));
    return;
  }
  const request = { address: checkAddress(machine, address, text), access, user: user === true };
  const { result, events, steps } = explainToyWalk(machine, about, request);
  printWalk(result, events, options, toyWalkText, toyEventLines, steps);
}
