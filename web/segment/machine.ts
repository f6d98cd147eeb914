/** A logical address through a segment, as `pagewalk segment` explains it; the bits of its descriptors can be changed. */

import { parseAddress } from '../../hw/base/address.js';
import { SEGMENT_NAMES } from '../../hw/x86/segmentation/register.js';
import { buildMachine } from '../../src/explain/machine.js';
import type { ExplainedMachine } from '../../src/explain/machine.js';
import type { MachineState } from '../../src/explain/machine-state.js';
import { explainSegment, type SegmentRequest } from '../../src/explain/segment/segment.js';
import type { SegmentResult } from '../../src/explain/segment/segment-result.js';
import { explainWalk } from '../../src/explain/walk/walk.js';
import type { Machine } from '../story/history.js';

const ACCESS = /^(read|write|fetch|call)\.([c-gs]s)\.(\w+)\.(\w+)\.([1248])$/;
const FLIP = /^flip\.([0-2])\.(\d{1,2})$/;

/** A bit in memory that was changed: the physical address of its byte, and its number there. */
interface Flipped {
  readonly address: number;
  readonly bit: number;
}

export class LogicalAddressMachine implements Machine {
  result: SegmentResult | null = null;
  /** The changes of the last event, in words. */
  change = '';
  readonly #flipped: Flipped[] = [];
  #request: SegmentRequest | null = null;

  /** @throws StateError for a state that cannot be */
  constructor(readonly state: MachineState) {
    this.#machine();
  }

  /**
   * `read.ds.0x2b.0x10.4` makes an access by register, selector, offset and size; `flip.DESCRIPTOR.BIT` changes a bit
   * of a descriptor of the last access, and makes the access again. Each access begins with the machine as it was.
   */
  act(words: string): number {
    this.change = '';
    const access = ACCESS.exec(words);
    if (access !== null) return this.#access(access);
    const flip = FLIP.exec(words);
    if (flip === null) throw new RangeError(`'${words}' is nothing that can happen here`);
    this.#flip(Number(flip[1]), Number(flip[2]));
    return 1;
  }

  #machine(): ExplainedMachine {
    const machine = buildMachine(this.state);
    const { ram } = machine.mmu;
    for (const { address, bit } of this.#flipped) ram.store8(0, address, ram.load8(0, address) ^ (1 << bit));
    return machine;
  }

  #access([, access, name, selectorText, offsetText, size]: RegExpExecArray): number {
    const selector = parseAddress(selectorText);
    if (selector?.hi !== 0 || selector.lo >>> 16 !== 0) {
      throw new RangeError(`'${selectorText}' is no selector: give 16 bits, hexadecimal, such as 0x2b`);
    }
    const offset = parseAddress(offsetText);
    if (offset === undefined) throw new RangeError(`'${offsetText}' is no hexadecimal offset, such as 0x10`);
    const machine = this.#machine();
    if (offset.hi !== 0 && !machine.unit.is64Bit) {
      throw new RangeError(`offsets have 32 bits in ${machine.unit.mode} mode; give at most 0xffffffff`);
    }
    this.#request = {
      ...offset,
      selector: selector.lo,
      access: access as SegmentRequest['access'],
      register: SEGMENT_NAMES.findIndex((known) => known.toLowerCase() === name),
      size: Number(size),
    };
    this.result = explainSegment(machine, this.#request);
    return stagesOf(this.result);
  }

  #flip(at: number, bit: number): void {
    const descriptor = this.result?.descriptors.at(at);
    if (descriptor === undefined || this.#request === null || bit > 63) {
      throw new RangeError(`the last access has no bit ${bit} in a descriptor ${at}`);
    }
    const { mmu } = this.#machine();
    const linear = parseAddress(descriptor.address) ?? { hi: 0, lo: 0 };
    const { outcome } = explainWalk(mmu, { ...linear, access: 'read', user: false });
    if (outcome.kind === 'fault') throw new RangeError(`the descriptor at ${descriptor.address} is not mapped`);
    this.#flipped.push({ address: Number(outcome.physical) + (bit >>> 3), bit: bit & 7 });
    this.result = explainSegment(this.#machine(), this.#request);
    const value = (BigInt(this.result.descriptors.at(at)?.raw ?? 0) >> BigInt(bit)) & 1n;
    this.change = `Bit ${bit} of the descriptor at ${descriptor.address} is ${value} now`;
  }
}

/** Checks that were made: up to the first that failed. */
export function checksMade({ checks }: SegmentResult): number {
  return checks.filter(({ passed }) => passed !== null).length;
}

/** The selector, its descriptors, each check, and the end. */
export function stagesOf(result: SegmentResult): number {
  return 2 + checksMade(result) + 1;
}
