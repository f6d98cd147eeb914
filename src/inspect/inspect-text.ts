/** An inspected process as people read it in a terminal. */

import pc from 'picocolors';
import { factTable, type Fact } from '../report/output/table.js';
import { wrap } from '../report/output/wrap.js';
import { countOf, formatBytes, formatCount } from '../report/output/units.js';
import { actionText, kindTable, regionTable } from '../report/views/region-views.js';
import type { InspectedRun, InspectResult } from './inspect-result.js';

/** Lines of the things left out, the largest first. */
const MOST_LEFT_OUT = 5;

function spare(bytes: number): string {
  return bytes === 0 ? '-' : formatBytes(bytes);
}

function facts({ runs, tlb }: InspectResult): Fact[][] {
  const fact = (label: string, cell: (run: InspectedRun) => string): Fact => ({ label, cells: runs.map(cell) });
  return [
    [
      fact('resident', (run) => formatBytes(run.residentBytes)),
      fact('page tables', (run) => formatBytes(run.tableBytes)),
      fact('tables set aside', (run) => spare(run.spareTableBytes)),
      fact('resident pages of 4K', (run) => formatCount(run.smallPages)),
      fact('resident pages of 2M or more', (run) => formatCount(run.hugePages)),
    ],
    [
      fact(`TLB entries (${tlb})`, (run) => formatCount(run.tlbEntries)),
      fact('TLB reach', (run) => formatBytes(run.tlbReachBytes)),
    ],
    [
      fact('fork: entries visited', (run) => formatCount(run.fork.entriesVisited)),
      fact('fork: entries copied', (run) => formatCount(run.fork.entriesCopied)),
      fact('fork: page tables of the child', (run) => formatBytes(run.fork.tableBytes)),
      fact('fork: tables set aside', (run) => spare(run.fork.spareTableBytes)),
    ],
    [
      fact('two forks: shared by all three', (run) => formatBytes(run.twoForks.sharedBytes)),
      fact('two forks: shared when touched', (run) => formatBytes(run.twoForks.sharedWhenTouched)),
      fact('two forks: memory added', (run) => formatBytes(run.twoForks.addedBytes)),
      fact('copied if one writes everything', (run) => formatBytes(run.twoForks.copiedIfWritten)),
    ],
  ];
}

/** Linux's own counts, if the model was built from other ones. */
function countNotes({ residentBytes, presentBytes, zeroBytes }: InspectResult): string[] {
  const [counted, present] = [formatBytes(residentBytes), formatBytes(presentBytes ?? residentBytes)];
  const ran =
    counted === present
      ? []
      : [
          `The process ran on while it was read: smaps counts ${counted} resident, pagemap a moment later ${present}, which is what the model has.`,
        ];
  const zero =
    zeroBytes === 0
      ? []
      : [
          `${formatBytes(zeroBytes)} more were only read so far: they are the page of zeros, and count as not resident.`,
        ];
  return [...ran, ...zero];
}

function notes(result: InspectResult): string[] {
  const { source, leftOut, kernelTableBytes, swappedBytes } = result;
  const largest = [...leftOut].sort((a, b) => b.bytes - a.bytes);
  const rest = largest.slice(MOST_LEFT_OUT);
  const bytes = rest.reduce((sum, item) => sum + item.bytes, 0);
  return [
    ...(kernelTableBytes === null
      ? []
      : [`Linux itself spends ${formatBytes(kernelTableBytes)} on its page tables now.`]),
    ...countNotes(result),
    ...(swappedBytes === 0 ? [] : [`${formatBytes(swappedBytes)} are in swap and count as not resident.`]),
    ...(source === 'pagemap'
      ? []
      : ['pagemap tells too little here: which pages are resident is guessed from the sums in smaps.']),
    ...largest
      .slice(0, MOST_LEFT_OUT)
      .map((item) => `Left out: ${item.what} (${formatBytes(item.bytes)}): ${item.why}.`),
    ...(rest.length === 0 ? [] : [`Left out too: ${formatBytes(bytes)} in ${countOf(rest.length, 'more region')}.`]),
  ];
}

/** The colour of each verdict. */
export const VERDICT_COLORS = { no: pc.cyan, between: pc.yellow, none: pc.dim };

function policyWords({ enabled, shmem, maxPtesNone, disabled }: InspectResult['policy']): string {
  const process = disabled ? ', and the process has them disabled (PR_SET_THP_DISABLE)' : '';
  return `Huge pages on this system: enabled ${enabled}, shmem_enabled ${shmem}, khugepaged/max_ptes_none ${maxPtesNone}${process}.`;
}

/** The process, at most 80 columns wide. */
export function inspectText(result: InspectResult): string {
  const { pid, name, regions, mappedBytes, residentBytes, anonymousBytes, anonymousHugeBytes } = result;
  const huge =
    anonymousHugeBytes === 0 ? 'none of it in huge pages' : `${formatBytes(anonymousHugeBytes)} in huge pages`;
  const intro =
    `${name} (PID ${pid}): ${formatBytes(mappedBytes)} mapped in ${countOf(regions.length, 'region')}, ` +
    `${formatBytes(residentBytes)} resident, ${formatBytes(anonymousBytes)} of that anonymous (${huge}). ` +
    'In the model, with all its anonymous memory in pages of:';
  const table = factTable(
    result.runs.map(({ pages }) => `${pages} pages`),
    facts(result),
  );
  const { kinds, policy, verdict, why, advice, actions } = result;
  const judged = [wrap(`Why: ${why}`), VERDICT_COLORS[verdict](wrap(`Verdict: ${advice}`))];
  const sections = [
    [wrap(intro), table, ...notes(result).map((note) => wrap(note))],
    [wrap(policyWords(policy)), kindTable(kinds)],
    [regionTable(regions)],
    judged,
    [actionText(actions)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
