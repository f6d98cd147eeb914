/**
 * The first fork of a process of the host: V8 has compiled nothing of it yet, and the child's tables lie in memory that
 * was never touched. C's is the first of a process too.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startReference } from './reference.js';
import type { Answer } from './reference.js';
import { FORK_ENTRIES, FORKS, forkRival } from './rivals.js';
import type { Rival } from './rivals.js';

/** Each run starts a process; it makes its pages resident, and only its fork is timed. */
export function firstForkRival(): Rival {
  return {
    name: 'fork, the first of a process',
    path: 'fork',
    what: 'ordered',
    operations: FORK_ENTRIES,
    reference: async () => {
      const reference = startReference();
      try {
        return await reference.ask('fork', 'ordered');
      } finally {
        reference.close();
      }
    },
    run: async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url)]);
      return JSON.parse(stdout) as Answer;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await forkRival(FORKS[0]).run()));
}
