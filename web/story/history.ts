/**
 * Steps forward and back through a story: a list of events over a machine with one beginning.
 *
 * The machine is deterministic, so going back is beginning again and doing fewer events. An event may be shown in
 * several stages (a walk level by level); they are all done at once and shown one after the other.
 *
 * The story is a tour. An event of one's own in the middle of it is a branch: the tour waits where it was left, and goes
 * on from there.
 */

/** The events of a view. Links carry the words, so they must be short and must never change. */
export interface Machine {
  /**
   * Makes the event happen.
   * @returns how many stages it can be shown in, at least 1
   * @throws RangeError with a sentence for words without a meaning here
   */
  act(words: string): number;
}

/** Events done, and the stages shown of the last one; 0 stages only when no event is done. */
export interface Position {
  readonly events: number;
  readonly stage: number;
}

/** A tour left for a branch: its events, and the position where it waits. */
export interface Tour {
  readonly events: readonly string[];
  readonly at: Position;
}

/** More than this no link may ask for. */
const MOST_EVENTS = 500;

export class History<M extends Machine> {
  machine: M;
  /** Events done. */
  done = 0;
  /** Stages shown of the last event done. */
  stage = 0;
  /** Stages of the last event done. */
  stages = 0;
  #events: string[] = [];
  #tour: Tour | null = null;

  constructor(readonly boot: () => M) {
    this.machine = boot();
  }

  get events(): readonly string[] {
    return this.#events;
  }

  /** The tour, while a branch off it is shown. */
  get tour(): Tour | null {
    return this.#tour;
  }

  get position(): Position {
    return { events: this.done, stage: this.stage };
  }

  get atEnd(): boolean {
    return this.done === this.#events.length && this.stage === this.stages;
  }

  get atStart(): boolean {
    return this.done === 0;
  }

  /**
   * Begins again with other events and goes to a position among them; the last stage of the event when none is given.
   * @param tour what `events` branch off from, if they do
   * @throws RangeError for impossible events
   */
  load(events: readonly string[], at: Position = { events: events.length, stage: Infinity }, tour?: Tour): void {
    for (const { length } of [events, tour?.events ?? []]) {
      if (length > MOST_EVENTS) throw new RangeError(`${length} events are more than ${MOST_EVENTS}`);
    }
    this.#events = [...events];
    this.#tour = tour ?? null;
    this.goTo(at);
  }

  /** Takes the tour up again where it was left; the branch is gone. */
  resume(): void {
    if (this.#tour !== null) this.load(this.#tour.events, this.#tour.at);
  }

  /** Makes `words` happen in place of the events to come; shown from its first stage on, or as a whole. */
  act(words: string, whole = false): void {
    const stages = this.machine.act(words);
    if (!this.atEnd) this.#tour ??= { events: this.#events, at: this.position };
    this.#events = [...this.#events.slice(0, this.done), words];
    this.done++;
    this.stages = stages;
    this.stage = whole ? stages : 1;
  }

  /** One stage, or one event, on; false at the end. */
  step(): boolean {
    if (this.atEnd) return false;
    if (this.stage < this.stages) this.stage++;
    else this.#next();
    return true;
  }

  #next(): void {
    this.stages = this.machine.act(this.#events[this.done]);
    this.done++;
    this.stage = 1;
  }

  /** One stage back; before the first stage of an event, to the last one of the event before. False at the start. */
  back(): boolean {
    if (this.atStart) return false;
    if (this.stage > 1) this.stage--;
    else if (this.#tour?.at.events === this.done - 1) this.resume();
    else this.goTo({ events: this.done - 1, stage: Infinity });
    return true;
  }

  /** To the start, with all events of the tour still to come. */
  reset(): void {
    this.resume();
    this.goTo({ events: 0, stage: 0 });
  }

  /** Replays from the start up to a position; past the end means the end. */
  goTo({ events, stage }: Position): void {
    this.machine = this.boot();
    this.done = this.stage = this.stages = 0;
    const wanted = Math.min(Math.max(0, events), this.#events.length);
    while (this.done < wanted) this.#next();
    if (this.done > 0) this.stage = Math.min(Math.max(1, stage), this.stages);
  }
}
