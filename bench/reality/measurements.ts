/**
 * What a machine says: its prices, and the gain of programs from huge pages in pairs of runs. Measuring takes minutes, and
 * a quiet machine. So it may go on where it was ended: each measurement is kept in a file at once, and taken from there.
 */

import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileWhole } from '../../src/report/output/write-file.js';
import { MachinePrices } from '../../src/report/results/prices.js';
import { thisHost } from '../measure/host.js';
import { pagewalk } from './pagewalk.js';
import type { RealProgram } from './programs.js';

/** After so many seconds no pair of runs begins. */
const SECONDS = '30';

const Ratio = z.object({ median: z.number(), low: z.number(), high: z.number() });

/** A part of the output of `pagewalk try --json`. */
const Tried = z.object({
  pairs: z.number(),
  speedup: z.object({ user: Ratio.nullable() }),
  sides: z.array(z.object({ memory: z.object({ resident: z.number(), huge: z.number() }).nullable() })),
  otherLoad: z.number(),
});
export type Tried = z.infer<typeof Tried>;

const Kept = z.strictObject({
  processor: z.string(),
  prices: MachinePrices.partial().optional(),
  tried: z.record(z.string(), Tried),
});

/** Measurements of this machine. */
export class Measurements {
  readonly #kept: z.infer<typeof Kept>;

  /**
   * @param path of the file that keeps them; undefined: none does
   * @throws Error for a file of another machine, or of anything else
   */
  constructor(private readonly path: string | undefined) {
    const { processor } = thisHost();
    const found = path !== undefined && existsSync(path);
    this.#kept = found ? Kept.parse(JSON.parse(readFileSync(path, 'utf8'))) : { processor, tried: {} };
    if (this.#kept.processor === processor) return;
    throw new Error(
      `--measured ${path}: it is of '${this.#kept.processor}', and this is '${processor}'; name another file`,
    );
  }

  /**
   * @param path where `pagewalk calibrate` may write
   * @param shape its choice of a TLB
   */
  prices(path: string, shape: readonly string[]): NonNullable<z.infer<typeof Kept>['prices']> {
    const { prices } = this.#kept;
    if (prices !== undefined) return prices;
    pagewalk(['calibrate', '-o', path, ...shape, '--json']);
    this.#keep({ prices: MachinePrices.partial().parse(JSON.parse(readFileSync(path, 'utf8'))) });
    return this.prices(path, shape);
  }

  tried({ name, command }: RealProgram): Tried {
    const { tried } = this.#kept;
    if (!(name in tried)) {
      const output = pagewalk(['try', '--json', '--seconds', SECONDS, '--', ...command]);
      this.#keep({ tried: { ...tried, [name]: Tried.parse(JSON.parse(output)) } });
    }
    return this.#kept.tried[name];
  }

  #keep(change: Partial<z.infer<typeof Kept>>): void {
    Object.assign(this.#kept, change);
    if (this.path === undefined) return;
    writeFileWhole(this.path, `${JSON.stringify(this.#kept, null, 1)}\n`);
  }
}
