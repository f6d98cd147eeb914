/** The choice of the engine: the one named, or the fastest able to record. */

import { ENGINE_NAMES, EngineError, type Engine, type EngineName } from './engine.js';
import { qemuEngine } from './qemu/engine.js';
import { findFile, findProgram } from './qemu/program.js';
import { valgrindEngine } from './valgrind.js';

export const ENGINE_CHOICES = ['auto', ...ENGINE_NAMES] as const;
/** An engine by name, or the best one there. */
export type EngineChoice = 'auto' | EngineName;

interface Choice {
  readonly engine: Engine;
  /** Why it is not QEMU, if the choice was left to us. */
  readonly whyNotQemu: string | undefined;
}

/**
 * `auto` takes QEMU where it is installed and can run the command, and valgrind elsewhere.
 * @throws EngineError saying what is missing; of an engine, how to install it
 */
export async function chooseEngine(choice: EngineChoice, command: readonly [string, ...string[]]): Promise<Choice> {
  if (choice === 'valgrind') return { engine: await valgrindEngine(), whyNotQemu: undefined };
  if (choice === 'qemu') return { engine: await qemuEngine(), whyNotQemu: undefined };
  const qemu = await qemuFor(command);
  if (typeof qemu !== 'string') return { engine: qemu, whyNotQemu: undefined };
  const engine = await valgrindEngine().catch((error: unknown) => {
    throw error instanceof EngineError ? new EngineError(`${qemu}; and ${error.message}`) : error;
  });
  const [name] = command;
  if (findFile(name) === undefined) {
    throw new EngineError(`cannot run '${name}': there is no such program to execute; give its path, such as ./app`);
  }
  return { engine, whyNotQemu: qemu };
}

/** QEMU, or in words why it cannot record the command. */
async function qemuFor(command: readonly [string, ...string[]]): Promise<Engine | string> {
  try {
    const engine = await qemuEngine();
    const program = findProgram(command);
    return typeof program === 'string' ? program : engine;
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
}
