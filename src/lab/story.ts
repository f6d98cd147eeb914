/** How a lab tells what it does: steps with their evidence, figures with what must come out. */

import { LabResult } from '../report/lab-result.js';
import type { ArenaDrawing, Figure, LabStep, SchemeCost } from '../report/lab-result.js';
import { SCHEMA_VERSION } from '../report/schema.js';

/** A scenario of the textbook. */
export interface Lab {
  readonly name: string;
  readonly title: string;
  /** Runs it on machines of its own. */
  readonly run: (story: Story) => void;
}

export class Story {
  readonly #steps: LabStep[] = [];
  readonly #figures: Record<string, Figure> = {};
  readonly #expected: Record<string, Figure> = {};
  #comparison: LabResult['comparison'];

  /** Something happened; `evidence` is what the machine shows for it, a line each. */
  step(text: string, ...evidence: readonly string[]): void {
    this.#steps.push({ text, evidence: [...evidence] });
  }

  /** A step that leaves the arena as drawn. */
  draw(text: string, arena: ArenaDrawing, ...evidence: readonly string[]): void {
    this.#steps.push({ text, evidence: [...evidence], arena });
  }

  /** A measured figure, and what the textbook or the rule behind it gives for it. */
  figure(key: string, measured: Figure, expected?: Figure): void {
    this.#figures[key] = measured;
    if (expected !== undefined) this.#expected[key] = expected;
  }

  /** What both schemes paid for the same. */
  compare(segmentation: SchemeCost, paging: SchemeCost): void {
    this.#comparison = { segmentation, paging };
  }

  result({ name, title }: Lab): LabResult {
    return {
      schemaVersion: SCHEMA_VERSION,
      command: 'lab',
      name,
      title,
      steps: this.#steps,
      figures: this.#figures,
      expected: this.#expected,
      comparison: this.#comparison,
    };
  }
}

/** Runs a lab from start to end. */
export function runLab(lab: Lab): LabResult {
  const story = new Story();
  lab.run(story);
  return LabResult.parse(story.result(lab));
}
