/** The plain x86 of the translate view: accesses really made, and bits really changed. */

import { OK } from '../../../hw/base/fault.js';
import { describeException } from '../../../hw/x86/describe-exception.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { buildMachine } from '../../../src/explain/machine.js';
import type { MachineState } from '../../../src/explain/machine-state.js';
import type { WalkLevel, WalkResult, WalkStep } from '../../../src/explain/walk/walk-result.js';
import { explainSteps, type WalkRequest } from '../../../src/explain/walk/walk.js';
import type { Machine } from '../../story/history.js';
import { accessIn, type Flip, flipIn, type RecordOf } from './access.js';
import { RegisterFile, REGISTERS, type RegisterName } from './registers.js';
import { drawTlbs } from './tlb-drawing.js';

export type AccessRecord = RecordOf<WalkResult, WalkStep>;

const REGISTER = /^(cr0|cr4|efer|pkru|rflags)\.(\d{1,2})$/;

export class TranslateMachine implements Machine {
  readonly mmu: Mmu;
  readonly registers: RegisterFile;
  record: AccessRecord | null = null;
  /** The changes of the last event, in words. */
  change = '';

  /** @throws StateError for a state that cannot be */
  constructor(state: MachineState) {
    this.mmu = buildMachine(state).mmu;
    this.registers = new RegisterFile(this.mmu, state.registers.pkru.lo);
  }

  /**
   * `read.user.0x601000` makes an access; `flip.LEVEL.BIT` changes a bit of the entry at a level of the last walk and
   * invalidates the page, `lazy.LEVEL.BIT` forgets to; `cr0.16` flips a bit of a register; `invlpg` and `flush`.
   */
  act(words: string): number {
    this.change = '';
    const access = accessIn(words, '0x401000');
    if (access !== undefined) return this.#access(access.request, access.text);
    const flip = flipIn(words);
    if (flip !== undefined) return this.#flip(flip);
    const register = REGISTER.exec(words);
    if (register !== null) return this.#register(register[1] as RegisterName, Number(register[2]));
    if (words === 'invlpg') return this.#invalidate();
    if (words === 'flush') return this.#flush();
    throw new RangeError(`'${words}' is nothing that can happen here`);
  }

  #access(request: WalkRequest, text: string): number {
    if (request.hi !== 0 && this.mmu.rules.mode !== '4l' && this.mmu.rules.mode !== '5l') {
      throw new RangeError(`the address ${text} has more than the 32 bits of this mode; give at most 0xffffffff`);
    }
    this.record = this.#make(request, false);
    return 2 + this.walked.length;
  }

  /** The levels read by the last access, root first. */
  get walked(): readonly WalkLevel[] {
    return this.record?.result.levels.filter(({ skipped }) => !skipped) ?? [];
  }

  #make(request: WalkRequest, again: boolean): AccessRecord {
    const { mmu } = this;
    const before = drawTlbs(mmu, request);
    const { result, steps } = explainSteps(mmu, request);
    return { request, result, steps, before, after: drawTlbs(mmu, request), again };
  }

  /** The last access once more: its result may be another one now. */
  #repeat(): number {
    if (this.record !== null) this.record = this.#make(this.record.request, true);
    return 1;
  }

  #flip({ invalidates, level, bit }: Flip): number {
    const entry = this.record?.result.levels.find((candidate) => candidate.level === level);
    const bits = this.mmu.rules.mode === '32' ? 32 : 64;
    if (entry === undefined || bit >= bits) throw new RangeError(`the walk has no bit ${bit} at level ${level}`);
    const address = this.addressOf(entry);
    const { ram } = this.mmu;
    const word = address / 4 + (bit >>> 5);
    ram.words[word] ^= 1 << (bit & 31);
    const value = (ram.words[word] >>> (bit & 31)) & 1;
    this.change = `Bit ${bit} of ${entry.table}[${entry.index}] is ${value} now`;
    if (entry.entryAddress === null) this.#reload(word, bit);
    else this.#invalidateAfter(invalidates);
    return this.#repeat();
  }

  /** Physical address of an entry; a PDPTE of PAE paging came from the table at CR3. */
  addressOf({ entryAddress, index }: WalkLevel): number {
    return entryAddress === null ? (this.mmu.cr3Lo & ~0x1f) + 8 * index : Number(entryAddress);
  }

  /** PDPTEs count only once CR3 is loaded again; a bad one is refused, and the store is undone. */
  #reload(word: number, bit: number): void {
    if (this.mmu.writeCr3(this.mmu.cr3Hi, this.mmu.cr3Lo) >= OK) {
      this.change += '; CR3 was loaded again';
      return;
    }
    this.mmu.ram.words[word] ^= 1 << (bit & 31);
    throw new RangeError('a PDPTE with a reserved bit set: MOV to CR3 ends in #GP, so the bit was put back');
  }

  #invalidateAfter(invalidates: boolean): void {
    if (!invalidates) {
      this.change += '; nothing was invalidated';
      return;
    }
    this.#invlpg();
    this.change += ', and INVLPG was executed';
  }

  #invlpg(): void {
    if (this.record !== null) this.mmu.invlpg(this.record.request.hi, this.record.request.lo);
  }

  #invalidate(): number {
    if (this.record === null) throw new RangeError('make an access first; INVLPG needs its address');
    this.#invlpg();
    this.change = `INVLPG ${this.record.result.address}`;
    return this.#repeat();
  }

  #flush(): number {
    this.mmu.writeCr3(this.mmu.cr3Hi, this.mmu.cr3Lo);
    this.change = 'CR3 was loaded again: everything that is not global left the TLBs';
    return this.#repeat();
  }

  #register(name: RegisterName, bit: number): number {
    const known = REGISTERS.find((candidate) => candidate.register === name && candidate.bit === bit);
    if (known === undefined) throw new RangeError(`${name.toUpperCase()} has no bit ${bit} to change here`);
    if (this.registers.flip(name, bit) < OK) {
      throw new RangeError(
        `${name.toUpperCase()}.${known.name} cannot change now: ${describeException(this.mmu.fault)}. ${known.refusal}`,
      );
    }
    this.change = `${name.toUpperCase()}.${known.name} is ${this.registers.bit(name, bit)} now`;
    return this.#repeat();
  }
}
