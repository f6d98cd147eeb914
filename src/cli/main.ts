#!/usr/bin/env node
import { explainSystemError } from './failure.js';
import { explain, runProgram } from './program.js';

// A reader may close early, as `head` does: no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : explain(explainSystemError(error, 'write standard output')));
});

await runProgram(process.argv.slice(2));
