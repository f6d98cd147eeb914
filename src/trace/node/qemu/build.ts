import { CompileError, compiled } from '../../../host/compile.js';
import { packageFile } from '../../../host/package-file.js';
import { EngineError } from '../engine.js';

const OTHERS = ['count.c', 'follow.c', 'regions.c', 'send.c', 'windows.c', 'plugin.h', 'qemu-api.h'];

/**
 * The plugin for this QEMU, compiled once for each of its versions and QEMU's.
 * @param qemu its version
 * @param api the version of its plugin interface
 * @throws EngineError when there is no compiler, it fails, or the cache cannot be written
 */
export async function builtPlugin(qemu: string, api: number): Promise<string> {
  const shipped = (name: string): string => packageFile(`src/trace/node/qemu/${name}`);
  try {
    return await compiled({
      path: shipped('plugin.c'),
      others: OTHERS.map(shipped),
      defines: { API_VERSION: api },
      kind: 'library',
      name: 'the plugin for QEMU',
      key: qemu,
    });
  } catch (error) {
    throw error instanceof CompileError ? new EngineError(error.message) : error;
  }
}
