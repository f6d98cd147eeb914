/** Count the copies: processes fork, write and exit, and the kernel of the model counts. */

import { PAGE_BYTES } from '../../hw/base/address.js';
import { Core } from '../../hw/x86/core.js';
import { Mmu } from '../../hw/x86/mmu.js';
import { Ram } from '../../hw/memory/ram.js';
import type { Random } from '../../hw/base/random.js';
import { Kernel } from '../kernel/kernel.js';
import { must } from '../kernel/abi/must.js';
import type { Process } from '../kernel/space/process.js';
import { between, pick } from './exercise.js';
import type { Difficulty, ExerciseKind, Posed } from './exercise.js';

const BASE = 0x40_0000;
const RAM_BYTES = 2 ** 24;
const NAMES = ['A', 'B', 'C', 'D'];

/** A family of processes over a few pages, and the story of their deeds. */
class Family {
  readonly story: string[] = [];
  readonly reasoning: string[] = [];
  readonly #kernel = new Kernel({ processor: new Core(new Mmu({ ram: new Ram({ bytes: RAM_BYTES }) })) });
  /** The living, by name. */
  readonly #living = new Map<string, Process>();

  constructor(readonly pages: number) {
    const first = this.#kernel.spawn();
    must(this.#kernel.mapRegion(first, BASE, pages * PAGE_BYTES));
    for (let page = 0; page < pages; page++) must(this.#kernel.store(first, BASE + page * PAGE_BYTES, 4, page));
    this.#living.set(NAMES[0], first);
  }

  get names(): string[] {
    return [...this.#living.keys()];
  }

  get copied(): number {
    return this.#kernel.counters.cowFaults;
  }

  get reused(): number {
    return this.#kernel.counters.reuseFaults;
  }

  /** Frames of all living processes. */
  get frames(): number {
    const frames = new Set<number>();
    for (const process of this.#living.values()) {
      for (let page = 0; page < this.pages; page++) {
        const entry = this.#kernel.pagemap(process, BASE + page * PAGE_BYTES);
        if (entry?.present === true) frames.add(entry.frame);
      }
    }
    return frames.size;
  }

  #process(name: string): Process {
    const process = this.#living.get(name);
    if (process === undefined) throw new Error(`${name} has ended`);
    return process;
  }

  fork(name: string, child: string): void {
    this.#living.set(child, must(this.#kernel.fork(this.#process(name))));
    this.#tell(`${name} forks ${child}`, 'every page of it is shared now and read-only');
  }

  write(name: string, page: number): void {
    const { copied, reused } = this;
    must(this.#kernel.store(this.#process(name), BASE + page * PAGE_BYTES, 4, 1));
    const what =
      this.copied > copied
        ? 'others have the page, too: it is copied'
        : this.reused > reused
          ? 'the last owner of the page: re-used without a copy'
          : 'the page is its own and writable: no fault';
    this.#tell(`${name} writes to page ${page}`, what);
  }

  exit(name: string): void {
    this.#kernel.exit(this.#process(name));
    this.#living.delete(name);
    this.#tell(`${name} exits`, 'its share of every page is given up');
  }

  #tell(deed: string, what: string): void {
    this.story.push(`${this.story.length + 1}. ${deed}`);
    this.reasoning.push(`${this.story.length}. ${deed}: ${what}`);
  }
}

const STEPS: Readonly<Record<Difficulty, readonly [least: number, most: number]>> = {
  easy: [3, 5],
  medium: [6, 9],
  hard: [11, 15],
};

function copies(random: Random, difficulty: Difficulty): Posed {
  const family = new Family(between(random, 3, 6));
  family.fork('A', 'B');
  let born = 2;
  const [least, most] = STEPS[difficulty];
  const steps = between(random, least, most);
  for (let step = 0; step < steps; step++) {
    const name = pick(random, family.names);
    const deed = random.below(8);
    if (deed === 0 && born < NAMES.length) family.fork(name, NAMES[born++]);
    else if (deed === 1 && family.names.length > 1) family.exit(name);
    else family.write(name, random.below(family.pages));
  }
  const { copied, reused, frames } = family;
  return {
    question:
      `Process A has written to all of its ${family.pages} pages (0 to ${family.pages - 1}). Then this happens, with ` +
      'copy-on-write. How many pages are copied, how many are made writable again without a copy, and how many ' +
      'frames do the living processes hold in the end?',
    given: family.story,
    answer: `${copied} copied, ${reused} re-used, ${frames} frames`,
    parts: [
      { label: 'pages copied', value: String(copied) },
      { label: 'made writable without a copy', value: String(reused) },
      { label: 'frames in the end', value: String(frames) },
    ],
    reasoning: family.reasoning,
  };
}

export const COW_KINDS: readonly ExerciseKind[] = [{ topic: 'cow', kind: 'copies', make: copies }];
