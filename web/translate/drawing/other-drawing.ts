/** An access on a machine other than a plain x86, drawn from the result that the terminal prints. */

import { html, nothing, type TemplateResult } from 'lit';
import { dumpToy } from '../../../src/explain/toy/toy-dump.js';
import { countOf } from '../../../src/report/output/units.js';
import type { ToyMachine } from '../../../hw/toy/machine.js';
import { arenaBar } from '../../arena.js';
import type { Page } from '../../story/view.js';
import { addressFields } from './address-fields.js';
import { endBox, endWords } from './end-box.js';
import { type CardState, levelCard } from './level-card.js';
import { nestedTable } from './nested-table.js';
import { lookupWords, stepList } from './step-list.js';
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
  const { result, steps, before, after } = record;
  const reads = readsOf(result);
  const ended = shows(progress, reads + 2);
  const seen = progress.stage === progress.stages ? reads : Math.min(reads, progress.stage - 1);
  const filled = steps.flatMap((step) => (step.kind === 'fill' && 'where' in step ? [step.where as string] : []));
  const drawings = ended ? after : before;
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
          filled: ended ? filled : [],
          rights: walkable.rights,
          fences: drawings.length === 0 ? null : walkable.fences,
          aside: 'rows' in result ? nothing : aside,
        },
        walk: {
          verdict: walkable.toy?.shape.segmentation ? 'none: a base and a limit decide' : walkWords(reads),
          entries,
        },
        ...(ended
          ? {
              end: html`${endBox(result)}
              ${stepList(steps, walkable.toy === undefined ? lookupWords(otherTlbWords(record), before) : '')}`,
            }
          : {}),
      },
      page,
    )}
    ${memoryOf(walkable, ended && result.outcome.kind === 'mapped' ? Number(result.outcome.physical) : undefined)}
  `;
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

/** The memory of a toy machine; of others there is too much. */
function memoryOf({ toy }: Walkable, physical: number | undefined): TemplateResult | typeof nothing {
  if (toy === undefined) return nothing;
  const { memory, segments } = dumpToy(toy, '');
  return html`<details class="memory-bytes" open>
    <summary>${segments.length === 0 ? 'Physical memory' : 'Segments and physical memory'}</summary>
    ${segments.length === 0 ? nothing : toySegments(toy, physical)}
    ${memory.length === 0 ? nothing : html`<pre tabindex="0">${memory.map(({ at, bytes }) => `${at.padEnd(8)} ${bytes}`).join('\n')}</pre>`}
    ${memory.length === 0 ? nothing : html`<p class="quiet">Rows without a byte but 0 are left out.</p>`}
  </details>`;
}

/** The segment registers, and their segments where they lie. @param physical the address just reached */
function toySegments({ shape }: ToyMachine, physical: number | undefined): TemplateResult {
  const registers = shape.segmentation?.registers ?? [];
  const held = registers
    .map(({ base, limit, grows }, i) => ({
      name: `segment ${i}`,
      bytes: limit,
      base: grows === 'up' ? base : base - limit,
    }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => a.base - b.base);
  const bytes = 2 ** shape.physicalBits;
  const pieces = held.flatMap((piece, i) => {
    const end = i === 0 ? 0 : held[i - 1].base + held[i - 1].bytes;
    return piece.base > end ? [{ base: end, bytes: piece.base - end }, piece] : [piece];
  });
  const last = held.at(-1);
  const end = last === undefined ? 0 : last.base + last.bytes;
  if (end < bytes) pieces.push({ base: end, bytes: bytes - end });
  return html`<table class="figures">
      <tr>
        <th scope="col">segment</th>
        <th scope="col">base</th>
        <th scope="col">limit</th>
        <th scope="col">grows</th>
      </tr>
      ${registers.map(
        ({ base, limit, grows }, i) =>
          html`<tr>
            <th scope="row">${i}</th>
            <td><code>0x${base.toString(16)}</code></td>
            <td>${limit.toLocaleString('en-US')}</td>
            <td>${grows}</td>
          </tr>`,
      )}
    </table>
    ${arenaBar({ base: 0, bytes, pieces }, 'Physical memory', physical)}`;
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
