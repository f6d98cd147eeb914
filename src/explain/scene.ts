/** A lab's machine to walk: the owner of the loaded page tables, and the things to be seen in them. */

import { highWord, lowWord, toHex, toNumber } from '../../hw/base/address.js';
import type { Mmu } from '../../hw/x86/mmu.js';
import type { Stage, StageProcess } from '../lab/stage.js';
import { playLab } from '../lab/story.js';
import type { Lab } from '../lab/story.js';
import { wrap } from '../report/output/wrap.js';
import { SCHEMA_VERSION } from '../report/results/schema-version.js';
import { countOf, formatBytes } from '../report/output/units.js';
import { columns } from '../report/output/columns.js';

/** The lab has no such page tables; the message lists those it has. */
export class SceneError extends Error {
  override readonly name = 'SceneError';
}

export interface Scene {
  readonly lab: Lab;
  /** After which step; null: at its end. */
  readonly step: number | null;
  readonly stage: Stage;
  /** Owner of the tables at CR3; undefined when they belong to no living process. */
  readonly running: StageProcess | undefined;
}

/** `steps 1 to 4, 6`. */
function stepList(steps: readonly number[]): string {
  const starts = steps.filter((step) => !steps.includes(step - 1));
  const ends = steps.filter((step) => !steps.includes(step + 1));
  const runs = starts.map((start, i) => (start === ends[i] ? String(start) : `${start} to ${ends[i]}`));
  return `${steps.length === 1 ? 'step' : 'steps'} ${runs.join(', ')}`;
}

function findStage(lab: Lab, step: number | undefined): Stage {
  const played = playLab(lab, step);
  if (step !== undefined && played.steps < step) {
    throw new SceneError(
      `--step ${step}: lab ${lab.name} has ${countOf(played.steps, 'step')}; give 1 to ${played.steps}`,
    );
  }
  if (played.stage !== null) return played.stage;
  const whole = step === undefined ? played : playLab(lab);
  if (whole.stage === null) {
    throw new SceneError(
      `lab ${lab.name} works with segments alone, so it has no page tables to walk; see pagewalk segment`,
    );
  }
  const others = whole.pagedSteps.length === 0 ? '' : `, or choose from ${stepList(whole.pagedSteps)}`;
  throw new SceneError(
    `--step ${step ?? ''}: no page tables are at work in this step of lab ${lab.name}; leave --step out for those at its end${others}`,
  );
}

function processAt(mmu: Mmu, { inhabitants }: Stage): StageProcess | undefined {
  const root = toNumber(mmu.cr3Hi, mmu.cr3Lo & ~0xfff);
  return inhabitants.find((process) => process.root === root);
}

/**
 * Plays a lab, up to a step or to its end.
 * @param pid process to load the tables of, as a context switch does; the last one to run when absent
 * @throws SceneError in words for the command line
 */
export function playScene(lab: Lab, step?: number, pid?: number): Scene {
  const stage = findStage(lab, step);
  const { mmu, inhabitants } = stage;
  if (pid !== undefined) {
    const chosen = inhabitants.find((process) => process.pid === pid);
    if (chosen === undefined) {
      const pids = inhabitants.map((process) => process.pid).join(', ');
      throw new SceneError(
        `--process ${pid}: no such process lives at this point of lab ${lab.name}; choose from ${pids}`,
      );
    }
    if (chosen !== processAt(mmu, stage)) mmu.writeCr3(highWord(chosen.root), lowWord(chosen.root));
  }
  return { lab, step: step ?? null, stage, running: processAt(mmu, stage) };
}

/** `Lab fork after step 3, process 2`: the time, and the owner of the tables. */
export function sceneTitle({ lab, step, running }: Scene): string {
  const who = running === undefined ? '' : `, process ${running.pid}`;
  return `Lab ${lab.name} ${step === null ? 'at its end' : `after step ${step}`}${who}`;
}

/** The same for programs. */
export function sceneJson({ lab, step, stage, running }: Scene): unknown {
  const processes = stage.inhabitants.map(({ pid, root, regions }) => ({
    pid,
    cr3: toHex(root),
    regions: regions.map(({ start, bytes, about }) => ({ start: toHex(start), bytes, about })),
  }));
  return {
    schemaVersion: SCHEMA_VERSION,
    command: 'walk',
    lab: lab.name,
    step,
    running: running?.pid ?? null,
    processes,
  };
}

/** The living processes of the machine and their mappings, at most 80 columns wide. */
export function sceneText(scene: Scene): string {
  const { lab, stage, running } = scene;
  const rows = stage.inhabitants.flatMap(({ pid, regions }) =>
    regions.map(({ start, bytes, about }, i) => [
      i === 0 ? `process ${pid}${pid === running?.pid ? ' *' : ''}` : '',
      toHex(start),
      formatBytes(bytes),
      about,
    ]),
  );
  const note = running === undefined ? [] : ['* runs: its page tables are walked unless --process names another'];
  return `${[sceneTitle(scene), wrap(lab.title), '', ...columns(rows), ...note].join('\n')}\n`;
}
