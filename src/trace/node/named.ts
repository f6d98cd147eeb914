/** Traces by name: what another thread needs to open one for itself. */

import type { Trace } from '../block.js';
import type { OpenOptions } from '../recorded.js';
import { openWorkload, type WorkloadOptions } from '../workload.js';
import { openTrace } from './open.js';

/** A file or a workload, as data. */
export type NamedTrace =
  | { readonly name: string; readonly path: string; readonly reading?: OpenOptions }
  | { readonly name: string; readonly workload: string; readonly shape: WorkloadOptions };

/** @throws RangeError for a workload that cannot be */
export function openNamed(trace: NamedTrace): Trace {
  return 'path' in trace ? openTrace(trace.path, trace.reading) : openWorkload(trace.workload, trace.shape);
}
