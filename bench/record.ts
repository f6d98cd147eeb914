/**
 * `npm run bench -- --record`: how many times the CPU time of a program it takes to record the program: by engine, in
 * windows and whole. Windows are measured on runs of about a second, where they are for; the rest would take hours there,
 * and is measured on small ones.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boxTable } from '../src/report/output/table.js';
import type { EngineName } from '../src/trace/node/engine.js';
import { CLI_PATH } from './measure/cli-path.js';
import { cpuSeconds } from './measure/cpu-seconds.js';
import { hostText, thisHost, type Host } from './measure/host.js';
import { median } from '../src/host/ratio.js';

/** A run this short is measured many times as one, and the short lives of a second are so many. */
const LIVES = { small: 30, large: 2 } as const;
type Size = keyof typeof LIVES;

/** What is measured. */
interface Manner {
  readonly engine: EngineName;
  readonly options: '' | '--whole';
  readonly size: Size;
}

const MANNERS: readonly Manner[] = [
  { engine: 'qemu', options: '', size: 'large' },
  { engine: 'qemu', options: '--whole', size: 'small' },
  { engine: 'valgrind', options: '', size: 'small' },
];

interface Row {
  readonly program: string;
  readonly engine: EngineName;
  readonly whole: boolean;
  /** CPU seconds, of the recorder too. */
  readonly recorded: number;
  readonly alive: number;
  readonly ratio: number;
}

export interface RecordBench extends Host {
  readonly schemaVersion: 2;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

/** Inputs for three programs, in `folder`, and the commands. */
function writeInputs(folder: string, size: Size): Record<string, string> {
  const count = size === 'small' ? 20_000 : 1_000_000;
  const lines = Array.from({ length: count }, (_, i) => `${(i * 1_103_515_245 + 12_345) % 2 ** 31}\n`);
  writeFileSync(join(folder, `lines-${size}`), lines.join(''));
  const fill = `d = {}\nfor i in range(${count}): d[i * 7919 % 1048573] = i\nprint(sum(d[k] for k in sorted(d)))\n`;
  writeFileSync(join(folder, `fill-${size}.py`), fill);
  const functions = Array.from({ length: count / 400 }, (_, i) => {
    return `int f${i}(int x, char *s) { for (int i = 0; i < ${(i % 7) + 1}; i++) x += (x << 3) ^ s[i]; return x; }\n`;
  });
  writeFileSync(join(folder, `f-${size}.c`), functions.join(''));
  return {
    sort: `sort lines-${size}`,
    python3: `/usr/bin/python3 fill-${size}.py`,
    gcc: `gcc -O1 -S -o out.s f-${size}.c`,
  };
}

/**
 * @param only rows whose program, engine and manner match, as in `gcc qemu windows`
 * @throws Error when a program or an engine is missing
 */
export function measureRecord(rounds: number, only?: RegExp): RecordBench {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-bench-'));
  try {
    const rows = MANNERS.flatMap((manner) =>
      Object.entries(writeInputs(folder, manner.size))
        .filter(([program]) => only?.test(`${program} ${manner.engine} ${nameOf(manner.options !== '')}`) ?? true)
        .map(([program, command]) => ({ program, ...row(manner, command, folder, rounds) })),
    );
    return { schemaVersion: 2, ...thisHost(), rounds, rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function row({ engine, options, size }: Manner, command: string, folder: string, rounds: number): Omit<Row, 'program'> {
  const lives = Array.from({ length: LIVES[size] }, () => command).join('; ');
  const record = `'${process.execPath}' '${CLI_PATH}' record --engine ${engine} ${options} -o x.pwt -- ${command} 2>/dev/null`;
  const times = Array.from({ length: rounds }, () => {
    return { alive: cpuSeconds(lives, folder) / LIVES[size], recorded: cpuSeconds(record, folder) };
  });
  const alive = median(times.map((time) => time.alive));
  const recorded = median(times.map((time) => time.recorded));
  const ratio = median(times.map((time) => time.recorded / time.alive));
  return { engine, whole: options === '--whole', alive, recorded, ratio };
}

const nameOf = (whole: boolean): string => (whole ? 'whole' : 'windows');

export function recordTable(result: RecordBench): string {
  const table = boxTable(
    ['program', 'engine', 'what', 'times life', 's recorded', 's alive'],
    result.rows.map(({ program, engine, whole, ratio, recorded, alive }) => [
      program,
      engine,
      nameOf(whole),
      ratio.toFixed(0),
      recorded.toFixed(1),
      alive.toFixed(3),
    ]),
    { left: [0, 1, 2] },
  );
  return `${table}\n${hostText(result)}\n`;
}
