/** Numbers as people read them: thousands apart, bytes in binary units, rounded only where nothing is lost by it. */

const BYTE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Smaller quantities are shown as smaller than this. */
const LEAST_SHOWN = 0.0001;

/** Whole numbers need no digit rounded away. */
function isPlain(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function groups(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * A number with `least` to `most` decimals, as Intl writes it for en-US: the shortest digits that name the number are
 * rounded, a half away from zero. Intl takes longer to begin with than a walk does.
 */
function decimals(value: number, most: number, least = 0): string {
  const size = Math.abs(value);
  if (!(size < 1e21)) {
    return new Intl.NumberFormat('en-US', { minimumFractionDigits: least, maximumFractionDigits: most }).format(value);
  }
  // Beyond these bounds a number's text has an exponent.
  const [whole, fraction = ''] = size < 1e-6 ? ['0'] : String(size).split('.');
  const up = fraction.charAt(most) >= '5' ? 1n : 0n;
  const kept = BigInt(whole + fraction.slice(0, most).padEnd(most, '0')) + up;
  const digits = String(kept).padStart(most + 1, '0');
  const point = digits.length - most;
  const rest = digits.slice(point).replace(/0+$/, '').padEnd(least, '0');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + groups(digits.slice(0, point)) + (rest === '' ? '' : `.${rest}`);
}

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return isPlain(count) ? groups(String(count)) : decimals(count, 0);
}

/** At most three significant digits and four decimals, but no digit before the point is lost: `0.0131`, `1,023`. */
export function formatShort(value: number): string {
  if (value > 0 && value < LEAST_SHOWN) return `<${LEAST_SHOWN}`;
  if (isPlain(value)) return groups(String(value));
  return decimals(value, [100, 10, 1, 0.1].filter((bound) => Math.abs(value) < bound).length);
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

/** A smaller factor would be shown as none. */
const LEAST_FACTOR = 0.01;

function formatFactor(times: number): string {
  return times < LEAST_FACTOR ? `<${LEAST_FACTOR}` : decimals(times, 2, 2);
}

/** How many times as fast, by its bounds: `1.30 to 1.70 times as fast`, or `1.00 times as fast` where they look alike. */
export function formatTimes({ low, high }: { readonly low: number; readonly high: number }): string {
  const [from, to] = [formatFactor(low), formatFactor(high)];
  return `${from === to ? from : `${from} to ${to}`} times as fast`;
}

/** Shares of 1 by their bounds, as percentages: `12 to 30%`. */
export function formatShares({ low, high }: { readonly low: number; readonly high: number }): string {
  const [from, to] = [decimals(low * 100, 0), decimals(high * 100, 0)];
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
