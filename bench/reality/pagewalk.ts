/** The users' own commands. */

import { execFileSync } from 'node:child_process';
import { CLI_PATH } from '../measure/cli-path.js';

const MOST_OUTPUT = 2 ** 28;

/**
 * What `pagewalk` prints; the command line goes to standard error first, since some take minutes.
 * @throws Error with its exit code when it fails
 */
export function pagewalk(args: readonly string[]): string {
  process.stderr.write(`pagewalk ${args.join(' ')}\n`);
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  return execFileSync(process.execPath, [CLI_PATH, ...args], { encoding: 'utf8', maxBuffer: MOST_OUTPUT, stdio });
}
