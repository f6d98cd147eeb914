import { record, type Recording, type RecordOptions } from '../../../../src/trace/node/recorder.js';

/** Records a command whole, its data accesses alone, unless `options` say otherwise. */
export function recordWith(
  engine: RecordOptions['engine'],
  output: string,
  command: RecordOptions['command'],
  options: Partial<RecordOptions> = {},
): Promise<Recording> {
  const { signal } = new AbortController();
  const all = {
    engine,
    command,
    output,
    skip: 0,
    windows: 'whole' as const,
    limit: Infinity,
    fetches: false,
    onProgress: () => undefined,
    signal,
  };
  return record({ ...all, ...options });
}
