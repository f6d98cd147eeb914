/** Samples of the C program behind `pagewalk calibrate`, and the figures from them. */

import { FIGURE_NAMES, type CalibrateFigure } from '../../report/results/calibrate-result.js';
import { median } from '../ratio.js';

export type FigureName = CalibrateFigure['name'];
export type FigurePages = CalibrateFigure['pages'];

/** Nanoseconds by footprint. */
export interface Point {
  readonly bytes: number;
  readonly ns: number;
}

/** Collects lines as they come. */
export class Samples {
  /** How many samples will come; 0 as long as it is unknown. */
  planned = 0;
  count = 0;
  /** Bytes of the array really in huge pages; NaN as long as it is unknown. */
  huge = NaN;
  /** Processor time of the program, in seconds. */
  cpu = 0;
  readonly #values = new Map<string, number[]>();

  /** @param line without its end; one not from the program is passed over */
  add(line: string): void {
    const words = line.split(' ');
    if (words[0] === 'plan') this.planned = Number(words[1]);
    else if (words[0] === 'huge') this.huge = Number(words[1]);
    else if (words[0] === 'cpu') this.cpu = Number(words[1]);
    else if (words.length === 4 && (FIGURE_NAMES as readonly string[]).includes(words[0])) this.#addSample(words);
  }

  #addSample([name, pages, bytes, ns]: readonly string[]): void {
    const key = `${name} ${pages} ${bytes}`;
    const values = this.#values.get(key) ?? [];
    this.#values.set(key, values);
    // A fork without much memory may seem to take longer than one with it.
    values.push(Math.max(0, Number(ns)));
    this.count++;
  }

  /** Medians with their quartiles, in the order of their first samples. */
  figures(): CalibrateFigure[] {
    return [...this.#values].map(([key, values]) => {
      const [name, pages, bytes] = key.split(' ');
      const sorted = [...values].sort((a, b) => a - b);
      const half = Math.ceil(sorted.length / 2);
      return {
        name: name as FigureName,
        pages: pages as FigurePages,
        bytes: Number(bytes),
        ns: median(sorted),
        low: median(sorted.slice(0, half)),
        high: median(sorted.slice(-half)),
        samples: sorted.length,
      };
    });
  }
}

/** How far half of the samples lie from the median at most, as a share of it. */
export function spreadOf({ ns, low, high }: CalibrateFigure): number {
  return ns === 0 ? 0 : Math.max(high - ns, ns - low) / ns;
}

/** The medians of one kind by footprint, smallest first. */
export function curve(figures: readonly CalibrateFigure[], name: FigureName, pages: FigurePages): Point[] {
  return figures
    .filter((figure) => figure.name === name && figure.pages === pages)
    .map(({ bytes, ns }) => ({ bytes, ns }))
    .sort((a, b) => a.bytes - b.bytes);
}
