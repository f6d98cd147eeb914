/** An access on a machine other than a plain x86, drawn from the result that the terminal prints. */

import { html, nothing, type TemplateResult } from 'lit';
import type { ToyMachine } from '../../../hw/toy/machine.js';
import { countOf } from '../../../src/report/output/units.js';
import type { Page } from '../../story/view.js';
import { addressFields } from './address-fields.js';
import { endBox, endWords } from './end-box.js';
import { type CardState, levelCard } from './level-card.js';
import { nestedTable } from './nested-table.js';
import { lookupWords, stepList } from './step-list.js';
import { toyMemory } from './toy-memory.js';
import { valueList } from './values.js';
import { type StagesShown, shows, walkLayout } from './walk-layout.js';
import { type OtherRecord, readsOf, type WalkMachine } from '../machines/walk-machine.js';
import type { OtherResult, Walkable } from '../machines/walkable.js';

/** The TLB's answer in a few words. */
function otherTlbWords({ result, before }: OtherRecord): string {
  const { tlb } = result;
  if (tlb === null) return before.length === 0 ? 'no TLB' : 'miss';
  return typeof tlb === 'string' ? `hit in the ${tlb}` : `${tlb.answer} in set ${tlb.set}, tag ${tlb.tag}`;
}

export function otherDrawing(
  walkable: Walkable,
  record: OtherRecord,
  progress: StagesShown,
  cards: CardState,
  aside: TemplateResult,
  page: Page,
): TemplateResult {
  const { toy } = walkable;
  const { result, steps, before, after } = record;
  const reads = readsOf(result);
  const ended = shows(progress, reads + 2);
  const drawings = ended ? after : before;
  const seen = progress.stage === progress.stages ? reads : Math.min(reads, progress.stage - 1);
  const entries =
    'rows' in result
      ? result.rows.length === 0
        ? nothing
        : nestedTable(result, seen)
      : levelCards(result, seen, ended, progress, cards, page);
  return html`
    ${walkLayout(
      {
        fields: 'rows' in result ? nothing : addressFields(result.split, lastLevel(result)),
        tlb: {
          verdict: otherTlbWords(record),
          drawings,
          filled: ended ? filledArrays(record) : [],
          rights: walkable.rights,
          fences: drawings.length === 0 ? null : walkable.fences,
          aside: 'rows' in result ? nothing : aside,
        },
        walk: {
          verdict: toy?.shape.segmentation ? 'none: a base and a limit decide' : walkWords(reads),
          entries,
        },
        ...(ended && {
          end: html`${endBox(result)}
          ${toy === undefined ? stepList(steps, lookupWords(otherTlbWords(record), before)) : nothing}`,
        }),
      },
      page,
    )}
    ${toy === undefined ? nothing : toyHalves(toy, record, seen, ended)}
  `;
}

/** Names of the TLB's arrays that the access filled; the one array of a toy needs none. */
function filledArrays({ steps, after }: OtherRecord): (string | undefined)[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'fill') return [];
    return 'where' in step ? [step.where as string] : after.map(({ name }) => name);
  });
}

/** The memory of a toy, and its steps beside it. */
function toyHalves(
  toy: ToyMachine,
  { result, steps }: OtherRecord,
  seen: number,
  ended: boolean,
): TemplateResult | typeof nothing {
  if ('rows' in result) return nothing;
  return html`<div class="halves">
    ${toyMemory(toy, {
      read: result.levels.slice(0, seen),
      reached: ended && result.outcome.kind === 'mapped' ? Number(result.outcome.physical) : undefined,
    })}
    ${ended ? stepList(steps, '') : nothing}
  </div>`;
}

/** The level of the page found; 0 when none was. */
function lastLevel({ levels }: Extract<OtherResult, { levels: unknown }>): number {
  return levels.find(({ pointsTo }) => pointsTo === 'page')?.level ?? 0;
}

function walkWords(reads: number): string {
  if (reads === 0) return 'not needed: nothing was read now';
  return `${countOf(reads, 'entry', 'entries')} read`;
}

function levelCards(
  result: Exclude<OtherResult, { rows: unknown }>,
  seen: number,
  ended: boolean,
  { stage, stages }: StagesShown,
  cards: CardState,
  page: Page,
): TemplateResult {
  const changes = 'changes' in result ? result.changes : [];
  const read = result.levels.filter((level) => !('skipped' in level && level.skipped));
  return html`<div class="levels">
    ${result.levels.map((level) => {
      const number = read.findIndex((one) => one === level) + 1;
      const marks = changes.filter(({ entryAddress }) => ended && entryAddress === level.entryAddress);
      const options = {
        shown: number === 0 || number <= seen,
        latest: number > 0 && stages > 1 && stage < stages && number === seen,
        changed: new Map(marks.map(({ field, value }) => [field, value])),
      };
      return levelCard(level, options, cards, page);
    })}
  </div>`;
}

/** The registers of the machine, folded until wanted. */
export function registerValues(result: OtherResult): TemplateResult | typeof nothing {
  if (!('registers' in result)) return nothing;
  return html`<details class="registers">
    <summary>Registers <span class="quiet">${Object.keys(result.registers).join(', ')}</span></summary>
    ${valueList(result.registers)}
  </details>`;
}

/** The stage of the access in a few words; announced to people without sight. */
export function otherTold({ record }: WalkMachine, progress: StagesShown): string {
  if (record === null) return '';
  if (shows(progress, readsOf(record.result) + 2)) return endWords(record.result);
  return progress.stage === 1 ? otherTlbWords(record) : `entry ${progress.stage - 1} read`;
}
