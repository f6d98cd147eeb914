import { FETCH } from '../../../../hw/base/access.js';
import { BUS_ERROR } from '../../../../hw/base/fault.js';
import { X86Counters } from '../../../../hw/x86/counters.js';
import type { X86CounterValues } from '../../../../hw/x86/counters.js';
import * as count from '../../../../hw/translate/counts/counters.js';
import type {
  FaultEvent,
  HitEvent,
  LookupEvent,
  ReadEvent,
  TranslationEvent,
} from '../../../../hw/translate/walk/events.js';

/** A lookup, as far as it has come. */
interface Lookup {
  readonly side: number;
  hit: HitEvent | null;
  shortened: boolean;
  walked: boolean;
  readonly reads: ReadEvent[];
}

function lookupOf({ access }: LookupEvent): Lookup {
  return { side: access & FETCH ? count.FETCH_SIDE : 0, hit: null, shortened: false, walked: false, reads: [] };
}

const INSTRUCTIONS: Readonly<Record<string, number>> = {
  INVLPG: count.PAGE_INVALIDATIONS,
  INVPCID: count.SPACE_INVALIDATIONS,
  'MOV to CR3': count.ROOT_WRITES,
};

/** The counters due after these events, by the rules of counters.ts. */
export function countsFromEvents(events: readonly TranslationEvent[]): X86CounterValues {
  const counters = new X86Counters();
  const { values } = counters;
  let lookup: Lookup | null = null;
  let instruction = '';

  const complete = (): void => {
    if (lookup === null) return;
    const { side, hit, walked, shortened, reads } = lookup;
    if (hit?.level === 1) values[side + count.L1_HITS]++;
    if (hit?.level === 2) values[side + count.L2_HITS]++;
    if (hit === null) {
      values[side + count.WALKS]++;
      if (shortened) values[side + count.SHORTENED_WALKS]++;
      for (const { level } of reads) values[side + count.ENTRY_READS + level]++;
    } else if (walked) {
      values[count.DIRTY_UPDATES]++;
      values[count.DIRTY_UPDATE_READS] += reads.length;
    }
    lookup = null;
  };

  const fault = ({ of, status, level }: FaultEvent): void => {
    if (of === 'address') complete();
    else if (of === 'instruction') values[INSTRUCTIONS[instruction] ?? NOWHERE]--;
    else {
      const reads = lookup?.reads ?? [];
      const missing = status === BUS_ERROR && wasNotRead(level, reads);
      values[of === 'hit' ? count.FAULTS_ON_HIT : count.FAULTS_ON_WALK]++;
      values[count.FAULT_READS] += reads.length + (missing ? 1 : 0);
      lookup = null;
    }
  };

  for (const event of events) {
    if (event.kind === 'lookup') {
      complete();
      lookup = lookupOf(event);
    } else if (event.kind === 'instruction') {
      complete();
      instruction = event.name;
      values[INSTRUCTIONS[instruction] ?? NOWHERE]++;
    } else if (event.kind === 'fault') fault(event);
    else if (event.kind === 'invalidate') values[event.scope === 'page' ? NOWHERE : count.FLUSHES]++;
    else if (lookup === null) continue;
    else if (event.kind === 'hit') lookup.hit = event;
    else if (event.kind === 'walk cache hit') lookup.shortened = true;
    else if (event.kind === 'read' && event.address !== null) lookup.reads.push(event);
    else if (event.kind === 'walked') lookup.walked = true;
    else if (event.kind === 'entry cache') {
      values[lookup.side + (event.hit ? count.ENTRY_CACHE_HITS : count.ENTRY_CACHE_MISSES)]++;
    }
  }
  complete();
  return counters.snapshot();
}

/** A place that no counter has: adding to NaN there changes nothing. */
const NOWHERE = -1;

/** No RAM answers at an entry: it was to be read, and counts, but there is nothing to tell of it. */
function wasNotRead(level: number, reads: readonly ReadEvent[]): boolean {
  return level >= 0 && reads.every((read) => read.level !== level);
}
