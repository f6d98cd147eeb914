/** Growth as tables for people. */

import { factTable } from '../../src/report/output/table.js';
import { wrap } from '../../src/report/output/wrap.js';
import { formatBytes, formatCount, formatShare, formatShort } from '../../src/report/output/units.js';
import { hostText } from '../measure/host.js';
import type { ForkGrowth } from './fork.js';
import type { GrowthResult } from './growth.js';
import type { TranslationPoint } from './translation.js';

/** Rows by `size`, a column for each of `columns`. */
function grid<Point>(
  points: readonly Point[],
  size: (point: Point) => number,
  columns: readonly { readonly heading: string; readonly cell: (ofSize: readonly Point[]) => string }[],
): string {
  const sizes = [...new Set(points.map(size))];
  const facts = sizes.map((bytes) => {
    const ofSize = points.filter((point) => size(point) === bytes);
    return { label: formatBytes(bytes), cells: columns.map(({ cell }) => cell(ofSize)) };
  });
  return factTable(
    columns.map(({ heading }) => heading),
    [facts],
  );
}

function translationTable(
  title: string,
  points: readonly TranslationPoint[],
  value: (point: TranslationPoint) => string,
): string {
  const kinds = points.filter(({ footprint }) => footprint === points[0].footprint);
  const columns = kinds.map(({ pattern, pages }) => ({
    heading: `${pattern}\n${pages}`,
    cell: (ofSize: readonly TranslationPoint[]): string => {
      const point = ofSize.find((one) => one.pattern === pattern && one.pages === pages);
      return point === undefined ? '' : value(point);
    },
  }));
  return `${title}\n${grid(points, ({ footprint }) => footprint, columns)}`;
}

type ForkColumn = readonly [heading: string, value: (point: ForkGrowth) => string];

function forkTable(title: string, points: readonly ForkGrowth[], values: readonly ForkColumn[]): string {
  const columns = [...new Set(points.map(({ pages }) => pages))].flatMap((pages) =>
    values.map(([heading, value]) => ({
      heading: `${heading}\n${pages}`,
      cell: (ofSize: readonly ForkGrowth[]): string => {
        const point = ofSize.find((one) => one.pages === pages);
        return point === undefined ? '' : value(point);
      },
    })),
  );
  return `${title}\n${grid(points, ({ resident }) => resident, columns)}`;
}

/** A table and its meaning; nothing when nothing could be measured. */
function memoryTexts({ memory }: GrowthResult): string[] {
  if (memory.length === 0) return [];
  const table = factTable(
    memory.map(({ pages }) => `${pages} pages`),
    [
      [{ label: 'page tables, counted', cells: memory.map(({ tables }) => formatBytes(tables)) }],
      [
        { label: 'resident, measured', cells: memory.map(({ resident }) => formatBytes(resident)) },
        { label: 'reserved beside RAM', cells: memory.map(({ reserved }) => formatBytes(reserved)) },
      ],
    ],
  );
  const meaning =
    'Frames that nobody touched take none of it: what is resident is the page tables and what the kernel knows about each frame. Writing to a frame commits its 4 KiB.';
  return [`Memory of the emulator for each GiB that a guest maps\n${table}`, wrap(meaning)];
}

/** Counts first, then the host's times. */
export function growthText(result: GrowthResult): string {
  const { translations, forks, tlb, leftOut } = result;
  const nanoseconds = (value: number): string => value.toFixed(1);
  return `${[
    translationTable(
      `Modelled counts: translations that walk, against the footprint; TLB ${tlb}`,
      translations,
      ({ walks }) => formatShare(walks),
    ),
    translationTable('Modelled counts: model cycles of a translation', translations, ({ cycles }) =>
      formatShort(cycles),
    ),
    translationTable('Host time: nanoseconds of a translation, modelled path', translations, (point) =>
      nanoseconds(point.modelledNanoseconds),
    ),
    translationTable('Host time: nanoseconds of a translation, soft path', translations, (point) =>
      nanoseconds(point.softNanoseconds),
    ),
    forkTable('Modelled counts: a fork, against the resident size', forks, [
      ['entries', ({ entriesCopied }) => formatCount(entriesCopied)],
      ['tables', ({ tableBytes }) => formatBytes(tableBytes)],
      ['set aside', ({ spareTableBytes }) => formatBytes(spareTableBytes)],
    ]),
    forkTable('Host time: a fork', forks, [
      ['ms', ({ nanoseconds: spent }) => (spent / 1e6).toFixed(2)],
      ['ns an entry', (point) => nanoseconds(point.nanoseconds / point.entriesCopied)],
    ]),
    ...memoryTexts(result),
    ...leftOut.map((line) => wrap(`Left out. ${line}`)),
    wrap(`Translations in batches; ${hostText(result)}.`),
  ].join('\n\n')}\n`;
}
