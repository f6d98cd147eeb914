import { CompileError, compiled } from '../../../host/compile.js';
import { shippedFile } from '../../../host/shipped-file.js';
import { EngineError } from '../engine.js';

/**
 * The plugin for this QEMU, compiled once for each of its versions and QEMU's.
 * @param qemu what `--version` says
 * @throws EngineError when there is no compiler, it fails, or the cache cannot be written
 */
export async function builtPlugin(qemu: string): Promise<string> {
  const path = shippedFile(import.meta.url, 'plugin.c');
  try {
    return await compiled({ path, kind: 'library', name: 'the plugin for QEMU', key: qemu });
  } catch (error) {
    throw error instanceof CompileError ? new EngineError(error.message) : error;
  }
}
