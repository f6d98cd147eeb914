import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { reportLines } from '../../../src/cli/record-report.js';
import type { Recording } from '../../../src/trace/node/recorder.js';
import { temporaryFolder } from '../../folder.js';

const process = (program: string, accesses: number) => ({
  pid: 7,
  program,
  origin: 'command' as const,
  accesses,
  threads: [],
  regions: [],
});

const RECORDING: Recording = {
  engine: 'qemu',
  whyNotQemu: undefined,
  counts: { accesses: 1000, loads: 900, stores: 100, modifies: 0, fetches: 0, droppedFetches: 0, skippedLines: 0 },
  facts: { accesses: 1_000_000, instructions: 3_000_000, processes: [process('/bin/python3', 1e6)], unseen: [] },
  windows: { kept: 50, length: 20, gaps: 49 },
  processes: 1,
  skippedLines: 0,
  ending: { code: 0, signal: null },
};

let output: string;

beforeEach(() => {
  output = join(temporaryFolder(), 'x.pwt');
  writeFileSync(output, Buffer.alloc(500));
});

function lines(changes: Partial<Recording> = {}): string[] {
  return reportLines({ ...RECORDING, ...changes }, output, '/usr/bin/python3');
}

it('says how much of which run was recorded', () => {
  expect(lines()).toEqual([
    `recorded 1,000 data accesses of python3 in ${output} (500 bytes, 0.5 bytes an access)`,
    'the run made 1,000,000 accesses and 3,000,000 instructions; 50 windows of 20 are recorded, at even distances',
    `next: pagewalk compare ${output}`,
  ]);
  expect(lines({ windows: { kept: 3, length: 20, gaps: 0 } })[1]).toMatch(/; they are recorded without a gap$/);
});

it('names programs that were started by others', () => {
  const processes = [process('/bin/sh', 1), process('/usr/bin/python3', 98), process('/bin/sh', 1)];
  expect(lines({ facts: { ...RECORDING.facts, processes } })[2]).toBe(
    'Programs, by accesses: python3 98%, sh (2 address spaces) 2%.',
  );
});

it('says what was not seen, and how it ended', () => {
  const facts = { ...RECORDING.facts, unseen: ['/bin/su', '/bin/su'] };
  expect(lines({ facts })).toContainEqual(expect.stringMatching(/^note: \/bin\/su left the emulator/));
  expect(lines({ facts: { processes: [], mixed: 3, unseen: [] } })).toContainEqual(
    expect.stringMatching(/^note: 3 processes are in it/),
  );
  expect(lines({ ending: { code: null, signal: 'SIGTERM' } })).toContain('note: the program was ended by SIGTERM');
  const stopped = lines({ ending: 'stopped' });
  expect(stopped).toContain('note: the program was stopped at --limit');
  expect(stopped.join()).not.toContain('the run made');
});
