/** The machines of the translate view other than a plain x86: accesses really made, and bits really changed. */

import { readsIn } from '../../../src/explain/nested/nested-walk.js';
import type { WalkRequest } from '../../../src/explain/walk/walk.js';
import type { Machine } from '../../story/history.js';
import { accessIn, type Flip, flipIn, type RecordOf } from './access.js';
import type { OtherResult, SaidStep, Walkable } from './walkable.js';

export type OtherRecord = RecordOf<OtherResult, SaidStep>;

/** The entries read now, one after the other. */
export function readsOf(result: OtherResult): number {
  if ('rows' in result) return result.rows.flatMap(readsIn).length;
  return result.levels.filter((level) => !('skipped' in level && level.skipped)).length;
}

export class WalkMachine implements Machine {
  record: OtherRecord | null = null;
  /** The changes of the last event, in words. */
  change = '';

  constructor(readonly walkable: Walkable) {}

  /** As TranslateMachine: accesses, `flip.LEVEL.BIT`, `lazy.LEVEL.BIT`, `invlpg` for a page and `flush` for all. */
  act(words: string): number {
    this.change = '';
    const access = accessIn(words, '0x1000');
    if (access !== undefined) return this.#access(access.request);
    const flip = flipIn(words);
    if (flip !== undefined) return this.#flip(flip);
    if (words === 'invlpg' || words === 'flush') return this.#fence(words === 'invlpg');
    throw new RangeError(`'${words}' is nothing that can happen here`);
  }

  #access(request: WalkRequest): number {
    this.record = this.#make(request, false);
    return 2 + readsOf(this.record.result);
  }

  #make(request: WalkRequest, again: boolean): OtherRecord {
    const { walkable } = this;
    const before = walkable.tlbs(request);
    const { result, steps } = walkable.explain(request);
    return { request, result, steps, before, after: walkable.tlbs(request), again };
  }

  /** The last access once more: its result may be another one now. */
  #repeat(): number {
    if (this.record !== null) this.record = this.#make(this.record.request, true);
    return 1;
  }

  #flip({ invalidates, level, bit }: Flip): number {
    const { record, walkable } = this;
    const levels = record === null || 'rows' in record.result ? [] : record.result.levels;
    const entry = levels.find((candidate) => candidate.level === level);
    if (record === null || entry === undefined || bit >= (entry.raw.length - 2) * 4) {
      throw new RangeError(`the walk has no bit ${bit} at level ${level}`);
    }
    const place = Number(entry.entryAddress) * 8 + bit;
    const word = Math.floor(place / 32);
    const { words } = walkable.ram;
    words[word] ^= 1 << (place % 32);
    this.change = `Bit ${bit} of ${entry.table}[${entry.index}] is ${(words[word] >>> (place % 32)) & 1} now`;
    if (!invalidates) this.change += '; nothing was invalidated';
    else if (walkable.fences !== null) {
      walkable.dropPage(record.request);
      this.change += `, then ${walkable.fences[0]}`;
    }
    return this.#repeat();
  }

  #fence(page: boolean): number {
    const { record, walkable } = this;
    if (record === null) throw new RangeError('make an access first');
    if (page) walkable.dropPage(record.request);
    else walkable.dropAll();
    this.change = `${(walkable.fences ?? ['', ''])[page ? 0 : 1]} was executed`;
    return this.#repeat();
  }
}
