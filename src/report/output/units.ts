/** Numbers as people read them: thousands apart, bytes in binary units, rounded only where nothing is lost by it. */

const BYTE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A way to write numbers, made at its first use: that takes longer than a walk does. */
class Digits {
  #format: Intl.NumberFormat | undefined;

  constructor(private readonly options: Intl.NumberFormatOptions) {}

  format(value: number): string {
    this.#format ??= new Intl.NumberFormat('en-US', this.options);
    return this.#format.format(value);
  }
}

const WHOLE = new Digits({ maximumFractionDigits: 0 });
/** Smaller quantities are shown as smaller than this. */
const LEAST_SHOWN = 0.0001;
const SMALL = new Digits({ maximumFractionDigits: 4 });
const SHORT = new Digits({ maximumSignificantDigits: 3 });

/** Whole numbers need no digit rounded away. */
function isPlain(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function groups(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return isPlain(count) ? groups(count) : WHOLE.format(count);
}

/** At most three significant digits and four decimals, but no digit before the point is lost: `0.0131`, `1,023`. */
export function formatShort(value: number): string {
  if (value > 0 && value < LEAST_SHOWN) return `<${LEAST_SHOWN}`;
  if (isPlain(value)) return groups(value);
  const digits = Math.abs(value) >= 100 ? WHOLE : Math.abs(value) >= 0.01 ? SHORT : SMALL;
  return digits.format(value);
}

/** Bytes in the largest binary unit with a number of at least 1: `142 MiB`, `1.5 GiB`, `512 bytes`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${formatShort(value)} ${BYTE_UNITS[unit]}`;
}

/** A share of 1 as a percentage: `0.034` as `3.4%`. */
export function formatShare(share: number): string {
  return `${formatShort(share * 100)}%`;
}

/** `1 entry`, `512 entries`: a count with its noun. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const FACTOR = new Digits({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
/** A smaller factor would be shown as none. */
const LEAST_FACTOR = 0.01;

function formatFactor(times: number): string {
  return times < LEAST_FACTOR ? `<${LEAST_FACTOR}` : FACTOR.format(times);
}

/** How many times as fast, by its bounds: `1.30 to 1.70 times as fast`, or `1.00 times as fast` where they look alike. */
export function formatTimes({ low, high }: { readonly low: number; readonly high: number }): string {
  const [from, to] = [formatFactor(low), formatFactor(high)];
  return `${from === to ? from : `${from} to ${to}`} times as fast`;
}

/** Shares of 1 by their bounds, as percentages: `12 to 30%`. */
export function formatShares({ low, high }: { readonly low: number; readonly high: number }): string {
  const [from, to] = [WHOLE.format(low * 100), WHOLE.format(high * 100)];
  return from === to ? `${from}%` : `${from} to ${to}%`;
}

/** Time in the unit with a number of at least 1: `850 ns`, `12.3 ms`, `1.5 s`. */
export function formatTime(ns: number): string {
  const units = ['ns', 'us', 'ms', 's'];
  let unit = 0;
  let value = ns;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${formatShort(value)} ${units[unit]}`;
}
