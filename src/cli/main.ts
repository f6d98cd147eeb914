#!/usr/bin/env node
import { explain, runProgram } from './program.js';

// A reader that closes early, as `head` does, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : explain(error));
});

await runProgram(process.argv.slice(2));
