/** The working set over time as an SVG document. Slow to load, as svg.ts is: import it only when a plot is asked for. */

import * as Plot from '@observablehq/plot';
import { REGION_KINDS } from '../../regions/region.js';
import { svgDocument } from '../../report/output/svg.js';
import { formatBytes } from '../../report/output/units.js';
import type { WatchResult } from './watch-result.js';

const MIB = 2 ** 20;

/** Areas by kind of region, one upon the other, and a line at the reach of the TLB for 4 KiB pages. */
export function watchPlot({ samples, reach, name, pid, tlb }: WatchResult): string {
  const kinds = REGION_KINDS.filter((kind) => samples.some(({ usedByKind }) => (usedByKind[kind] ?? 0) > 0));
  const rows = samples.flatMap(({ atMs, usedByKind }) =>
    kinds.map((kind) => ({ kind, seconds: atMs / 1000, mib: (usedByKind[kind] ?? 0) / MIB })),
  );
  return svgDocument({
    width: 720,
    height: 360,
    marginLeft: 60,
    title: `${name} (PID ${pid})`,
    x: { label: 'seconds', grid: true },
    y: { label: 'MiB used in a sample', grid: true, zero: true },
    color: { domain: kinds },
    marks: [
      Plot.areaY(rows, { x: 'seconds', y: 'mib', z: 'kind', fill: 'kind', order: [...kinds] }),
      Plot.ruleY([reach['4K'] / MIB], { stroke: 'black', strokeDasharray: '4 3' }),
      Plot.text([`reach of the TLB (${tlb}): ${formatBytes(reach['4K'])} of 4K pages`], {
        frameAnchor: 'left',
        y: reach['4K'] / MIB,
        dy: -8,
        dx: 4,
      }),
      ...kinds.map((kind, line) =>
        Plot.text([kind], { frameAnchor: 'top-right', text: [kind], fill: [kind], dy: 14 * line, fontWeight: 'bold' }),
      ),
    ],
  });
}
