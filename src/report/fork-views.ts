/** The cost of a fork as text for the terminal and as rows for CSV. */

import type { CsvCell } from './csv.js';
import type { Aftermath, ForkResult, ForkRun } from './fork-result.js';
import { factTable, wrap, type Fact } from './table.js';
import { formatBytes, formatCount, formatShare } from './units.js';

type Scenario = keyof ForkRun['scenarios'];

function scenarioFacts(result: ForkResult, scenario: Scenario, title: string): Fact[] {
  const of = (label: string, cell: (after: Aftermath) => string): Fact => {
    return { label: `  ${label}`, cells: result.runs.map((run) => cell(run.scenarios[scenario])) };
  };
  return [
    { label: title, cells: result.runs.map(() => '') },
    of('copy-on-write faults', ({ cowFaults }) => formatCount(cowFaults)),
    of('bytes copied', ({ bytesCopied }) => formatBytes(bytesCopied)),
    of('TLB flushes', ({ tlbFlushes }) => formatCount(tlbFlushes)),
  ];
}

/** The scenarios in the order they are shown, with their titles. */
function scenarioTitles({ touchedShare, exec }: ForkResult): [Scenario, string][] {
  const share = formatShare(touchedShare);
  const best: [Scenario, string] = ['best', `best: child execs at once, parent writes ${share}`];
  if (exec) return [best];
  return [
    ['child', `child writes ${share}`],
    ['parent', `parent writes ${share}`],
    ['both', `both write ${share}, the child first`],
    best,
    ['worst', 'worst: both write everything'],
  ];
}

/** The fork as people read it, at most 80 columns wide for three page sizes. */
export function forkText(result: ForkResult): string {
  const fact = (label: string, cell: (run: ForkRun) => string): Fact => ({ label, cells: result.runs.map(cell) });
  const fork = [
    fact('fork: entries visited', (run) => formatCount(run.entriesVisited)),
    fact('fork: entries copied', (run) => formatCount(run.entriesCopied)),
    fact('fork: tables copied', (run) => formatBytes(run.tableBytes)),
    fact('fork: TLB flushes', (run) => formatCount(run.tlbFlushes)),
  ];
  const scenarios = scenarioTitles(result).map(([name, title]) => scenarioFacts(result, name, title));
  const table = factTable(
    result.runs.map((run) => `${run.pages} pages`),
    [fork, ...scenarios],
  );
  const intro = `Forking a process with ${formatBytes(result.residentBytes)} resident, every page of it written before.`;
  return `${wrap(intro)}\n${table}\n`;
}

/** One row a page size and scenario. */
export function forkRows(result: ForkResult): Record<string, CsvCell>[] {
  return result.runs.flatMap((run) => {
    return Object.entries(run.scenarios).map(([scenario, after]) => ({
      pages: run.pages,
      residentBytes: run.residentBytes,
      touchedShare: result.touchedShare,
      entriesVisited: run.entriesVisited,
      entriesCopied: run.entriesCopied,
      tableBytes: run.tableBytes,
      scenario,
      ...after,
    }));
  });
}
