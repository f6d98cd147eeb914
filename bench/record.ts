/** `npm run bench -- --record`: how many times the CPU time of a program it takes to record the program, by engine. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { ENGINE_NAMES, type EngineName } from '../src/trace/node/engine.js';
import { hostText, thisHost, type Host } from './host.js';
import { median } from './ratio.js';

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
/** Programs are short: so many runs make one measurement of their life. */
const LIVES = 30;

interface Row {
  readonly program: string;
  readonly engine: EngineName;
  /** CPU seconds, of the recorder too. */
  readonly recorded: number;
  readonly alive: number;
  readonly ratio: number;
}

export interface RecordBench extends Host {
  readonly schemaVersion: 1;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

/** Small inputs for three programs, in `folder`, and the commands. */
function writeInputs(folder: string): Record<string, string> {
  const lines = Array.from({ length: 20_000 }, (_, i) => `${(i * 1_103_515_245 + 12_345) % 2 ** 31}\n`);
  writeFileSync(join(folder, 'lines'), lines.join(''));
  const fill = 'd = {}\nfor i in range(20_000): d[i * 7919 % 1048573] = i\nprint(sum(d[k] for k in sorted(d)))\n';
  writeFileSync(join(folder, 'fill.py'), fill);
  const functions = Array.from({ length: 50 }, (_, i) => {
    return `int f${i}(int x, char *s) { for (int i = 0; i < ${(i % 7) + 1}; i++) x += (x << 3) ^ s[i]; return x; }\n`;
  });
  writeFileSync(join(folder, 'f.c'), functions.join(''));
  return { sort: 'sort lines', python3: '/usr/bin/python3 fill.py', gcc: 'gcc -O1 -S -o out.s f.c' };
}

/** CPU seconds of a shell command and all its children: POSIX.1, "Shell command language", "times". */
function cpuSeconds(command: string, folder: string): number {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `{ ${command}; } >/dev/null && times`], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`'${command}' failed: ${stderr.trim()}`);
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout);
  if (times === null) throw new Error(`'times' of the shell said '${stdout}'`);
  const [, userMinutes, user, systemMinutes, system] = times.map(Number);
  return 60 * (userMinutes + systemMinutes) + user + system;
}

/** @throws Error when a program or an engine is missing */
export function measureRecord(rounds: number): RecordBench {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-bench-'));
  try {
    const rows = Object.entries(writeInputs(folder)).flatMap(([program, command]) =>
      ENGINE_NAMES.map((engine) => row(program, engine, command, folder, rounds)),
    );
    return { schemaVersion: 1, ...thisHost(), rounds, rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(program: string, engine: EngineName, command: string, folder: string, rounds: number): Row {
  const lives = Array.from({ length: LIVES }, () => command).join('; ');
  const record = `'${process.execPath}' '${MAIN}' record --engine ${engine} -o x.pwt -- ${command} 2>/dev/null`;
  const times = Array.from({ length: rounds }, () => {
    return { alive: cpuSeconds(lives, folder) / LIVES, recorded: cpuSeconds(record, folder) };
  });
  const alive = median(times.map((time) => time.alive));
  const recorded = median(times.map((time) => time.recorded));
  return { program, engine, alive, recorded, ratio: median(times.map((time) => time.recorded / time.alive)) };
}

export function recordTable(result: RecordBench): string {
  const table = new Table({
    head: ['program', 'engine', 'times life', 's recorded', 's alive'],
    colAligns: ['left', 'left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { program, engine, ratio, recorded, alive } of result.rows) {
    table.push([program, engine, ratio.toFixed(0), recorded.toFixed(1), alive.toFixed(3)]);
  }
  return `${table.toString()}\n${hostText(result)}\n`;
}
