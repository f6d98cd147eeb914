/** The command within a process that goes on afterwards. */

import { runProgram } from '../../../src/cli/program.js';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Keeps what is written to a stream, none of which goes out, until `end` is called. */
function capture(stream: NodeJS.WriteStream): { text: () => string; end: () => void } {
  const chunks: string[] = [];
  const write = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array): boolean => {
    chunks.push(String(chunk));
    return true;
  };
  return {
    text: () => chunks.join(''),
    end: () => {
      stream.write = write;
    },
  };
}

function exitStatus(): number {
  return Number(process.exitCode ?? 0);
}

/**
 * Runs `pagewalk ARGS...` in this process with these environment variables beside its own. One run at a time: standard
 * output, standard error, environment and exit code belong to the run and are as they were afterwards.
 */
export async function runProgramOnce(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const { exitCode, env: before } = process;
  process.exitCode = undefined;
  process.env = { ...before, ...env };
  const streams = [capture(process.stdout), capture(process.stderr)];
  try {
    await runProgram(args);
    const [stdout, stderr] = streams.map(({ text }) => text());
    return { status: exitStatus(), stdout, stderr };
  } finally {
    for (const { end } of streams) end();
    process.exitCode = exitCode;
    process.env = before;
  }
}
