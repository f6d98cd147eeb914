/** The recordings of real programs within pagewalk; `shipped/README.md` says how each was made. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A recording that comes with the package. */
export interface ShippedTrace {
  readonly name: string;
  /** The program's task, in a few words. */
  readonly title: string;
  /** The packed file. */
  readonly path: string;
}

/** Both traces, the one with the large footprint first. */
export function shippedTraces(): ShippedTrace[] {
  // Beside this source; or, compiled to dist/src/trace/node, up to the package's src/trace/shipped.
  const beside = new URL('../shipped/', import.meta.url);
  const folder = existsSync(beside) ? beside : new URL('../../../../src/trace/shipped/', import.meta.url);
  const trace = (name: string, title: string): ShippedTrace => ({
    name,
    title,
    path: fileURLToPath(new URL(`${name}.pwt`, folder)),
  });
  return [
    trace('sort', 'GNU sort, merging 200,000 lines'),
    trace('python', 'python3, solving the eight queens puzzle'),
  ];
}
