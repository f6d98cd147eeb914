/** Runs the command for each message, as test/src/cli/run-cli.ts sends them. */

import { runProgramOnce } from './run-program.js';

process.on('message', (message) => {
  const { args, env } = message as { args: string[]; env: Record<string, string> };
  void runProgramOnce(args, env).then((outcome) => process.send?.(outcome));
});
