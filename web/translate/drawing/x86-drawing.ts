/** An access on a plain x86, drawn from the result that the terminal prints. */

import { html, nothing, type TemplateResult } from 'lit';
import { allowedBy, allowedWords } from '../../../src/explain/walk/rights.js';
import type { WalkLevel, WalkResult } from '../../../src/explain/walk/walk-result.js';
import { whyWalked } from '../../../src/explain/walk/why-walked.js';
import { countOf } from '../../../src/report/output/units.js';
import type { Page } from '../../story/view.js';
import { x86Fields } from './address-fields.js';
import { type CardState, levelCard } from './level-card.js';
import type { AccessRecord, TranslateMachine } from '../machines/x86-machine.js';
import { outcomeBox, tlbWords } from './outcome-box.js';
import { lookupWords, stepList } from './step-list.js';
import { type StagesShown, shows, walkLayout } from './walk-layout.js';

/** @param walked the levels read by the access, root first */
export function x86Drawing(
  record: AccessRecord,
  walked: readonly WalkLevel[],
  progress: StagesShown,
  cards: CardState,
  aside: TemplateResult,
  page: Page,
): TemplateResult {
  const { request, result, steps, before, after } = record;
  const ended = shows(progress, walked.length + 2);
  const why = whyWalked(result);
  const end = html`${outcomeBox(result)}
  ${why === undefined ? nothing : html`<p class="why"><b>Why walk after a hit?</b> ${why}</p>`}
  ${stepList(steps, lookupWords(tlbWords(result), before))}`;
  return walkLayout(
    {
      fields: x86Fields(result, request),
      tlb: {
        verdict: tlbWords(result),
        drawings: ended ? after : before,
        filled: ended ? steps.filter(({ kind }) => kind === 'fill').map(({ where }) => where) : [],
        rights: (rights) => allowedWords(allowedBy(rights)),
        fences: ['INVLPG', 'MOV CR3'],
        aside,
      },
      walk: {
        verdict: walkWords(result, walked.length),
        entries: html`<div class="levels">
          ${result.levels.map((level) => card(level, walked, result, progress, ended, cards, page))}
        </div>`,
      },
      ...(ended ? { end } : {}),
    },
    page,
  );
}

function card(
  level: WalkLevel,
  walked: readonly WalkLevel[],
  { changes }: WalkResult,
  progress: StagesShown,
  ended: boolean,
  cards: CardState,
  page: Page,
): TemplateResult {
  const number = walked.indexOf(level) + 2;
  const bits = changes.find(({ entryAddress }) => ended && entryAddress === level.entryAddress)?.bits.split(' ') ?? [];
  const options = {
    shown: level.skipped || shows(progress, number),
    latest: !level.skipped && progress.stages > 1 && number === progress.stage,
    changed: new Map(bits.map((name) => [name, 1])),
  };
  return levelCard(level, options, cards, page);
}

function walkWords({ tlb, walkCache }: WalkResult, read: number): string {
  if (read === 0) return tlb.answer === 'off' ? 'none' : 'not needed: nothing below was read now';
  const cache = walkCache.answer === 'hit' ? `; a walk cache led straight to the ${walkCache.startsAt ?? ''}` : '';
  return `${countOf(read, 'entry', 'entries')} read${cache}`;
}

/** The stage of the access in a few words; announced to people without sight. */
export function x86Told({ record, walked }: TranslateMachine, progress: StagesShown): string {
  if (record === null) return '';
  const { outcome } = record.result;
  if (!shows(progress, walked.length + 2)) {
    return progress.stage === 1 ? tlbWords(record.result) : `${walked[progress.stage - 2].table} entry read`;
  }
  return outcome.kind === 'mapped' ? `physical address ${outcome.physical}` : outcome.name;
}
