import { setImmediate } from 'node:timers/promises';
import type { SingleBar } from 'cli-progress';
import { formatCount } from '../report/output/units.js';

const PATIENCE_MS = 1000;
const BREATH_MS = 100;

/**
 * A progress bar on standard error: nothing for the first second, nothing at all when standard error is not a terminal.
 */
export class Progress {
  readonly #label: string;
  readonly #unit: string;
  readonly #began = performance.now();
  #breath = this.#began;
  #bar: SingleBar | undefined;
  #loading = false;
  #ended = !process.stderr.isTTY;

  /** @param unit the things counted, such as `accesses` */
  constructor(label: string, unit = 'accesses') {
    this.#label = label;
    this.#unit = unit;
  }

  /**
   * `total` is undefined when nobody knows how much there is: the bar then counts only. Now and then the promise waits
   * for a turn of the event loop: the bar is drawn even during work without any waiting.
   */
  async update(done: number, total: number | undefined): Promise<void> {
    if (this.#ended) return;
    if (performance.now() - this.#breath > BREATH_MS) {
      await setImmediate();
      this.#breath = performance.now();
    }
    if (this.#bar !== undefined) {
      this.#bar.setTotal(Math.max(total ?? 0, done));
      this.#bar.update(done, { count: formatCount(done) });
    } else if (!this.#loading && performance.now() - this.#began > PATIENCE_MS) {
      this.#loading = true;
      void this.#show(total !== undefined);
    }
  }

  async #show(totalKnown: boolean): Promise<void> {
    const { SingleBar: Bar, Presets } = (await import('cli-progress')).default;
    if (this.#ended) return;
    const gauge = totalKnown ? '{bar} {percentage}% ' : '';
    const format = `${this.#label} ${gauge}{count} ${this.#unit}, {duration_formatted}`;
    // Cursor and line wrap stay as they are: Ctrl-C leaves nothing to put right.
    const terminal = { hideCursor: false, linewrap: true };
    this.#bar = new Bar({ format, clearOnComplete: true, barsize: 24, ...terminal }, Presets.shades_classic);
    this.#bar.start(1, 0, { count: '0' });
  }

  /** Takes the bar off the screen. */
  end(): void {
    this.#ended = true;
    this.#bar?.stop();
  }
}
