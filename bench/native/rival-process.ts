/**
 * One way to make loads in a process of its own, alive until its channel is closed: V8 compiles code by a process's
 * past, and a program with one way has no other past. Asked for a pattern, it answers with its measurement.
 */

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer } from './reference.js';
import { loadRival, WAYS } from './rivals.js';
import type { Rival } from './rivals.js';
import { LOADS, makeRam, PATTERNS } from './workload.js';
import type { Pattern } from './workload.js';

export interface RivalProcess {
  readonly rivals: readonly Rival[];
  readonly close: () => void;
}

function ask(child: ChildProcess, pattern: Pattern): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (): void => {
      reject(new Error(`the process for pattern ${pattern} ended`));
    };
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer as Answer);
    });
    child.send(pattern);
  });
}

/** Starts a process for one of {@link WAYS} and gives its rivals, one a pattern. */
export function startRivals(name: string): RivalProcess {
  const child = fork(fileURLToPath(import.meta.url), [name], { serialization: 'advanced' });
  const path = WAYS.find((way) => way.name === name)?.path ?? name;
  return {
    rivals: PATTERNS.map((what) => ({ name, path, what, operations: LOADS, run: () => ask(child, what) })),
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
}

function serve(name: string): void {
  const way = WAYS.find((candidate) => candidate.name === name);
  if (way === undefined) throw new Error(`no way to make loads is called '${name}'`);
  const ram = makeRam(false, way.machine);
  const rivals = new Map<Pattern, Rival>();
  process.on('message', (pattern: Pattern) => {
    const rival = rivals.get(pattern) ?? loadRival(way, ram, pattern);
    rivals.set(pattern, rival);
    process.send?.(rival.run());
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(process.argv[2]);
