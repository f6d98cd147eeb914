/**
 * The authors of stores: a side channel for debugging, like a watchpoint of a debugger. No machine has it, no program
 * in the machine depends on it, and a RAM keeps none until it is asked to.
 */

/** A store in the journal: its number, and its author. */
export interface JournaledStore {
  readonly sequence: number;
  /** The label of {@link Ram.storeLabel}; for its own stores an operating system adds the change. */
  readonly label: string;
  /** What each listener said of its time, by the number of {@link StoreJournal.listen}. @internal */
  readonly said: readonly unknown[];
}

/** Number of stores kept for one word: the latest. */
const REMEMBERED = 8;

/** The journal of one RAM. */
export class StoreJournal {
  /** Stores so far: the sequence number of the last. */
  count = 0;
  private readonly byWord = new Map<number, JournaledStore[]>();
  private readonly listeners: (() => unknown)[] = [];

  /**
   * From now on `listener` is asked at each store, and what it says goes with the store and ends with it.
   * @returns the number of the listener in {@link JournaledStore.said}
   * @internal
   */
  listen(listener: () => unknown): number {
    return this.listeners.push(listener) - 1;
  }

  /** Notes one store to the words `first` to `last` (indexes into {@link Ram.words}). */
  note(first: number, last: number, label: string): void {
    const said = this.listeners.map((listener) => listener());
    const store = { sequence: ++this.count, label, said };
    for (let index = first; index <= last; index++) this.noteWord(index, store);
  }

  private noteWord(index: number, store: JournaledStore): void {
    const stores = this.byWord.get(index) ?? [];
    stores.push(store);
    if (stores.length > REMEMBERED) stores.shift();
    this.byWord.set(index, stores);
  }

  /** The remembered stores to a word, the latest last. */
  storesTo(index: number): readonly JournaledStore[] {
    return this.byWord.get(index) ?? [];
  }
}
