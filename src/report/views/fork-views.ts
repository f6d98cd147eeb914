/** The cost of a fork as text for the terminal and as rows for CSV. */

import { checkResult } from '../output/check-result.js';
import type { CsvCell } from '../output/csv.js';
import type { ForkResult, ForkRun, ForkScenario } from '../results/fork-result.js';
import { factTable, type Fact } from '../output/table.js';
import { wrap } from '../output/wrap.js';
import { formatBytes, formatCount, formatShare } from '../output/units.js';

const PAGE_BYTES = { '4K': 2 ** 12, '16K': 2 ** 14, '64K': 2 ** 16, '2M': 2 ** 21, '1G': 2 ** 30 };

function titleOf(name: ForkScenario['name'], share: string): string {
  const titles = {
    child: `child writes ${share}`,
    parent: `parent writes ${share}`,
    both: `both write ${share}, child first`,
    best: `best: child execs, parent writes ${share}`,
    worst: 'worst: both write everything',
  };
  return titles[name];
}

/** One scenario over all page sizes; every run went through the same scenarios in the same order. */
function scenarioFacts(result: ForkResult, index: number): Fact[] {
  const cells = (cell: (scenario: ForkScenario) => string): string[] =>
    result.runs.map((run) => cell(run.scenarios[index]));
  return [
    { label: titleOf(result.runs[0].scenarios[index].name, formatShare(result.touchedShare)), cells: cells(() => '') },
    { label: '  copy-on-write faults', cells: cells(({ cowFaults }) => formatCount(cowFaults)) },
    { label: '  bytes copied', cells: cells(({ bytesCopied }) => formatBytes(bytesCopied)) },
    { label: '  TLB pages dropped', cells: cells(({ invalidations }) => formatCount(invalidations)) },
  ];
}

function unevenNote({ residentBytes, runs }: ForkResult): string[] {
  const uneven = runs.filter(({ pages }) => residentBytes % PAGE_BYTES[pages] !== 0).map(({ pages }) => pages);
  if (uneven.length === 0) return [];
  return [
    `${formatBytes(residentBytes)} is no whole number of ${uneven.join(' or ')} pages: the rest has smaller ones.`,
  ];
}

/** The time of one copy after a write, page size by page size; nothing when nobody copied. */
function copyNote({ runs }: ForkResult): string[] {
  const sizes = runs.flatMap(({ pages, scenarios }) => {
    const copying = scenarios.find(({ bytesCopied }) => bytesCopied > 0);
    if (copying === undefined) return [];
    return [`${formatBytes(copying.bytesCopied / (copying.cowFaults - copying.reused))} with ${pages}`];
  });
  return sizes.length === 0 ? [] : [`A copy took ${sizes.join(', ')} pages; the last owner of a page copies nothing.`];
}

/** The fork as people read it, at most 80 columns wide for three page sizes. */
export function forkText(result: ForkResult): string {
  checkResult('fork', result);
  const fact = (label: string, cell: (run: ForkRun) => string): Fact => ({ label, cells: result.runs.map(cell) });
  const fork = [
    fact('fork: entries visited', (run) => formatCount(run.entriesVisited)),
    fact('fork: entries copied', (run) => formatCount(run.entriesCopied)),
    fact('fork: tables copied', (run) => formatBytes(run.tableBytes)),
    fact('fork: tables set aside', (run) => (run.spareTableBytes === 0 ? '-' : formatBytes(run.spareTableBytes))),
    fact('fork: TLB pages dropped', (run) => (run.tlbFlushes > 0 ? 'all' : formatCount(run.invalidations))),
  ];
  const scenarios = result.runs[0].scenarios.map((_, index) => scenarioFacts(result, index));
  const table = factTable(
    result.runs.map((run) => `${run.pages} pages`),
    [fork, ...scenarios],
  );
  const intro = `Forking a process with ${formatBytes(result.residentBytes)} resident, every page of it written before.`;
  const before = [intro, ...unevenNote(result)].map((line) => wrap(line));
  const after = copyNote(result).map((line) => wrap(line));
  return `${[...before, table, ...after].join('\n')}\n`;
}

/** One row a page size and scenario. */
export function forkRows(result: ForkResult): Record<string, CsvCell>[] {
  checkResult('fork', result);
  return result.runs.flatMap((run) => {
    return run.scenarios.map(({ name, ...scenario }) => ({
      machine: result.machine,
      pages: run.pages,
      residentBytes: result.residentBytes,
      touchedShare: result.touchedShare,
      entriesVisited: run.entriesVisited,
      entriesCopied: run.entriesCopied,
      tableBytes: run.tableBytes,
      spareTableBytes: run.spareTableBytes,
      forkInvalidations: run.invalidations,
      forkTlbFlushes: run.tlbFlushes,
      scenario: name,
      ...scenario,
    }));
  });
}
