/** The recordings of real programs within pagewalk; `shipped/README.md` says how each was made. */

import { packageFile } from '../../host/package-file.js';

/** A recording in the package. */
export interface ShippedTrace {
  readonly name: string;
  /** The program's task, in a few words. */
  readonly title: string;
  /** The packed file. */
  readonly path: string;
}

/** Both traces, the one with the large footprint first. */
export function shippedTraces(): ShippedTrace[] {
  const trace = (name: string, title: string): ShippedTrace => ({
    name,
    title,
    path: packageFile(`src/trace/shipped/${name}.pwt`),
  });
  return [
    trace('sort', 'GNU sort, merging 200,000 lines'),
    trace('python', 'python3, solving the eight queens puzzle'),
  ];
}
