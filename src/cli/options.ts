/** Words typed after an option, as values: every parser throws commander's error with option and value. */

import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { pageSizeName, parsePageSize, SHIFT_1G, SHIFT_2M, SHIFT_4K } from '../../hw/base/address.js';
import type { TlbGeometry } from '../../hw/tlb/hierarchy.js';
import { parseTlb } from '../../hw/tlb/parse.js';
import { MODEL_DEFAULT } from '../../hw/tlb/presets.js';
import { MACHINE_NAMES } from '../compare/machine/pages/page-kinds.js';
import type { STATE_ACCESSES } from '../explain/state-form.js';

const BINARY = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const DECIMAL = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

type Suffix = keyof typeof BINARY;

function scaled(text: string, pattern: RegExp, scale: Readonly<Record<Suffix, number>>): number | undefined {
  const match = pattern.exec(text.trim().replaceAll('_', '').toUpperCase());
  if (match === null) return undefined;
  const [, digits, suffix = ''] = match;
  const value = Number(digits) * scale[suffix as Suffix];
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `1G`, `64K`, `1.5GiB` or plain bytes, as bytes above 0. */
export function parseBytes(text: string): number {
  const bytes = scaled(text, /^(\d+(?:\.\d+)?)(?:([KMGT])(?:I?B)?|B)?$/, BINARY);
  if (bytes === undefined || bytes === 0) {
    throw new InvalidArgumentError('Give bytes above 0, such as 1G, 64M or 65536 (K, M, G, T count in 1024s).');
  }
  return bytes;
}

/** `10M`, `2.5k` or plain digits, as a whole number; `least` is the smallest accepted. */
export function parseCount(text: string, least = 1): number {
  const count = scaled(text, /^(\d+(?:\.\d+)?)([KMGT])?$/, DECIMAL);
  if (count === undefined || count < least) {
    throw new InvalidArgumentError(
      `Give a whole number from ${least} up, such as 500000 or 10M (K, M, G count in 1000s).`,
    );
  }
  return count;
}

/** A parser for plain digits, no more of them than `most` has. */
export function parseWhole(least: number, most: number): (text: string) => number {
  const digits = new RegExp(`^\\d{1,${String(most).length}}$`);
  return (text) => {
    const value = digits.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
  };
}

/** A seed: a whole number from 0 to 2^32 - 1. */
export const parseSeed = parseWhole(0, 2 ** 32 - 1);

/** `10%` or `2.5%` as a share of 1. */
export function parseShare(text: string): number {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text.trim());
  const share = Number(match?.[1] ?? NaN) / 100;
  if (!(share <= 1)) throw new InvalidArgumentError('Give a percentage from 0% to 100%, such as 10%.');
  return share;
}

/** log2 of the page sizes of 4-level paging, in ascending order. */
const PAGE_SHIFTS: readonly number[] = [SHIFT_4K, SHIFT_2M, SHIFT_1G];

/** `4K,2M,1G` as page shifts, smallest first and each once. */
export function parsePages(text: string): number[] {
  const shifts = text.split(',').map((name) => {
    const shift = parsePageSize(name);
    if (shift === undefined || !PAGE_SHIFTS.includes(shift)) {
      throw new InvalidArgumentError(`'${name.trim()}' is no page size of 4-level paging; choose from 4K, 2M, 1G.`);
    }
    return shift;
  });
  return [...new Set(shifts)].sort((a, b) => a - b);
}

/** `64k,4K+contig` as names of pages; their machine knows whether it has them. */
export function parsePageNames(text: string): string[] {
  return text.split(',').map((name) => name.trim().replace(/^[^+]*/, (size) => size.toUpperCase()));
}

/** `--machine`, the same for every command that has all machines. */
export function machineOption(): Option {
  return new Option('--machine <name>', MACHINE_NAMES.join(', ')).argParser(parseChoice(MACHINE_NAMES)).default('x86');
}

/** `--pages`, the same for every command with pages of x86 alone. */
export function pagesOption(): Option {
  const all = PAGE_SHIFTS.map(pageSizeName).join(',');
  return new Option('-p, --pages <sizes>', 'page sizes').argParser(parsePages).default(PAGE_SHIFTS, all);
}

/** ` Did you mean fork?` by commander's own rule, for values as for options and commands; or nothing. */
function suggestion(word: string, choices: readonly string[]): string {
  const known = new Command()
    .helpCommand(false)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => 0 });
  for (const choice of choices) known.command(choice);
  try {
    known.parse([word], { from: 'user' });
  } catch (error) {
    const found = error instanceof Error ? /\((Did you mean .*)\)/.exec(error.message)?.[1] : undefined;
    if (found !== undefined) return ` ${found}`;
  }
  return '';
}

/** The words to give instead of one outside the choices. */
export function choiceAdvice(word: string, choices: readonly string[]): string {
  return `Choose from ${choices.join(', ')}.${suggestion(word, choices)}`;
}

/** A parser for one of a few words. */
export function parseChoice<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new InvalidArgumentError(choiceAdvice(text, choices));
    return found;
  };
}

/** Spelled out: to load the form of states takes longer than most commands do. */
const ACCESSES = ['read', 'write', 'fetch'] as const satisfies typeof STATE_ACCESSES;

/** `--access`, the same for every command with it. */
export function accessOption(): Option {
  return new Option('-a, --access <kind>', 'read, write or fetch').argParser(parseChoice(ACCESSES)).default('read');
}

function parseTlbOption(text: string): TlbGeometry {
  try {
    return parseTlb(text);
  } catch (error) {
    throw error instanceof RangeError ? new InvalidArgumentError(error.message) : error;
  }
}

/** `--tlb`, the same for every command with it. */
export function tlbOption(): Option {
  return new Option('-t, --tlb <shape>', 'a processor, or as 64x4+1536x12')
    .argParser(parseTlbOption)
    .default(MODEL_DEFAULT, MODEL_DEFAULT.name);
}

const MOST_THREADS = 64;

function parseThreads(text: string): number {
  const threads = parseCount(text);
  if (threads > MOST_THREADS) throw new InvalidArgumentError(`Give a whole number from 1 to ${MOST_THREADS}.`);
  return threads;
}

/** A number of threads, by that option's name. */
export function threadsOption(name: string): Option {
  return new Option(`${name} <count>`, 'threads')
    .argParser(parseThreads)
    .default(availableParallelism(), 'one a processor');
}

/** The largest PID of Linux (PID_MAX_LIMIT). */
const MOST_PID = 2 ** 22;

/** The number of a process, or `self`. */
export function parsePid(text: string): number {
  if (text === 'self') return process.pid;
  const pid = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (pid >= 1 && pid <= MOST_PID) return pid;
  throw new InvalidArgumentError('Give the number of a process, as ps shows it, or self.');
}
