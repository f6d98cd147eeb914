/** How a lab tells its deeds: steps with their evidence, figures with the ones expected. */

import { checkChoice, checkKind, objectWith } from '../../hw/base/arguments.js';
import { formatCount } from '../report/output/units.js';
import type {
  ArenaDrawing,
  ChapterCell,
  Figure,
  LabLines,
  LabMapping,
  LabResult,
  LabStep,
  LabTable,
  SchemeCost,
} from '../report/results/lab-result.js';
import { SCHEMA_VERSION } from '../report/results/schema-version.js';
import { ChapterWords } from './chapter/words.js';
import { LAB_MACHINES } from './lab-machines.js';
import type { LabMachine } from './lab-machines.js';
import type { Stage } from './stage.js';

/** A scenario of the textbook. */
export interface Lab {
  readonly name: string;
  readonly title: string;
  /** It runs on every machine, in the words of each; absent: on x86 alone. */
  readonly everywhere?: true;
  /** Tells it on machines of its own; {@link runLab} does. @internal */
  readonly run: (story: Story) => void;
}

/** The story has been told as far as somebody wanted to hear it. */
class Told extends Error {
  override readonly name = 'Told';
}

export class Story {
  readonly #steps: LabStep[] = [];
  readonly #figures: Record<string, Figure> = {};
  readonly #labels: Record<string, string> = {};
  readonly #measuredAt: Record<string, number> = {};
  readonly #chapter: Record<string, ChapterCell> = {};
  readonly #expected: Record<string, Figure> = {};
  #comparison: LabResult['comparison'];
  #stage: Stage | null = null;
  #lastStage: Stage | null = null;
  /** For each step: whether it happened on a machine with page tables. */
  readonly #paged: boolean[] = [];

  /**
   * @param end after how many steps the story breaks off; never when absent
   * @param machine that it happens on
   */
  constructor(
    private readonly end?: number,
    readonly machine: LabMachine = 'x86',
  ) {}

  /** From here on the story is about this machine; null: about segments alone. Only x86 is walked afterwards. */
  on(machine: { readonly [Key in keyof Stage]: Stage[Key] | null } | null): void {
    this.#stage = machine !== null && isStage(machine) ? machine : null;
    this.#lastStage = this.#stage ?? this.#lastStage;
  }

  #tell(step: LabStep): void {
    this.#steps.push(step);
    this.#paged.push(this.#stage !== null);
    if (this.#steps.length === this.end) throw new Told();
  }

  /** Something happened; `evidence` is the machine's proof of it, a line each. */
  step(text: string, ...evidence: readonly string[]): void {
    this.#tell({ text, evidence: [...evidence] });
  }

  /** A step; afterwards the arena is as drawn. */
  draw(text: string, arena: ArenaDrawing, ...evidence: readonly string[]): void {
    this.#tell({ text, evidence: [...evidence], arena });
  }

  /** A step with a table among its evidence. */
  table(text: string, table: LabTable, ...evidence: readonly string[]): void {
    this.#tell({ text, evidence: [...evidence], table });
  }

  /** A step with counts to be held against each other: each has its name and a bar. @param head of both columns */
  bars(
    text: string,
    head: readonly [name: string, count: string],
    counts: readonly (readonly [name: string, count: number])[],
    ...evidence: readonly string[]
  ): void {
    const rows = counts.map(([name, count]) => [name, formatCount(count)]);
    this.table(text, { head: [...head], rows, bars: counts.map(([, count]) => count) }, ...evidence);
  }

  /** After the last step these have this memory: to be drawn. */
  maps(...mappings: readonly LabMapping[]): void {
    const last = this.#steps.at(-1);
    if (last !== undefined) last.mappings = [...mappings];
  }

  /** What the last step found grows like this: to be drawn. */
  plot(lines: LabLines): void {
    const last = this.#steps.at(-1);
    if (last !== undefined) last.lines = lines;
  }

  /** The last step looks wrong to a beginner, and is right: why. */
  why(text: string): void {
    const last = this.#steps.at(-1);
    if (last !== undefined) last.why = text;
  }

  /**
   * A measured figure.
   * @param key its name for programs
   * @param label what it is, in words
   * @param standards what it is held to: words of the chapter, a value of pagewalk's own rules, both or neither
   */
  figure(key: string, label: string, measured: Figure, ...standards: readonly (Figure | ChapterWords)[]): void {
    this.#figures[key] = measured;
    this.#labels[key] = label;
    this.#measuredAt[key] = this.#steps.length;
    for (const standard of standards) {
      if (standard instanceof ChapterWords) this.#chapter[key] = standard.cell(measured);
      else this.#expected[key] = standard;
    }
  }

  /** The costs of the same in both schemes; `workload` says what they did. */
  compare(workload: string, segmentation: SchemeCost, paging: SchemeCost): void {
    this.#comparison = { workload, segmentation, paging };
  }

  /** What {@link playLab} gives. */
  get scene(): PlayedLab {
    const pagedSteps = this.#paged.flatMap((paged, i) => (paged ? [i + 1] : []));
    const stage = this.end === undefined ? this.#lastStage : this.#stage;
    return { stage, steps: this.#steps.length, pagedSteps };
  }

  result({ name, title }: Lab): LabResult {
    return {
      schemaVersion: SCHEMA_VERSION,
      command: 'lab',
      name,
      title,
      ...(this.machine === 'x86' ? {} : { machine: this.machine }),
      steps: this.#steps,
      figures: this.#figures,
      labels: this.#labels,
      measuredAt: this.#measuredAt,
      chapter: this.#chapter,
      expected: this.#expected,
      comparison: this.#comparison,
    };
  }
}

function isStage(machine: { readonly mmu: unknown }): machine is Stage {
  return machine.mmu !== null;
}

/** The things to see when a story ends or breaks off. */
export interface PlayedLab {
  /** The machine with page tables: the last one when the lab ran to its end, otherwise the one of the last step. */
  readonly stage: Stage | null;
  /** Steps told. */
  readonly steps: number;
  /** Numbers of those on a machine with page tables, from 1. */
  readonly pagedSteps: readonly number[];
}

/** Runs a lab, to its end or up to a step, for its machine. */
export function playLab(lab: Lab, end?: number): PlayedLab {
  const story = new Story(end);
  try {
    lab.run(story);
  } catch (error) {
    if (!(error instanceof Told)) throw error;
  }
  return story.scene;
}

const LAB = objectWith('run', "a lab, such as LABS.find(({ name }) => name === 'fork')");

/**
 * Runs a lab from start to end.
 * @param machine x86, or any that the lab runs on
 * @throws TypeError for no lab, RangeError for another machine
 */
export function runLab(lab: Lab, machine: LabMachine = 'x86'): LabResult {
  checkKind('runLab: lab', lab, LAB);
  checkChoice<LabMachine>('machine', machine, lab.everywhere === true ? LAB_MACHINES : ['x86']);
  const story = new Story(undefined, machine);
  lab.run(story);
  return story.result(lab);
}
