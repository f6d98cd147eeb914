/** What a store changes in an entry, in words: for the journal of the checking mode. */

/** A bit of an entry by name. One of the two masks is 0. */
export interface EntryFlag {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** The two words of an entry. */
export interface EntryWords {
  readonly high: number;
  readonly low: number;
}

const has = (flag: EntryFlag, { high, low }: EntryWords): boolean => ((flag.low & low) | (flag.high & high)) !== 0;

/** `clear R/W, set A`; `empty it`; nothing when both are the same. */
export function entryChange(flags: readonly EntryFlag[], before: EntryWords, after: EntryWords): string {
  if (before.low === after.low && before.high === after.high) return '';
  if ((after.low | after.high) === 0) return 'empty it';
  const names = (from: EntryWords, to: EntryWords): string =>
    flags
      .filter((flag) => has(flag, to) && !has(flag, from))
      .map(({ name }) => name)
      .join(' ');
  const [cleared, set] = [names(after, before), names(before, after)];
  const named = flags.reduce((sum, { high, low }) => ({ high: sum.high | high, low: sum.low | low }), {
    high: 0,
    low: 0,
  });
  const rest = ((before.high ^ after.high) & ~named.high) | ((before.low ^ after.low) & ~named.low);
  const parts = [
    cleared === '' ? '' : `clear ${cleared}`,
    set === '' ? '' : `set ${set}`,
    rest === 0 || (before.low | before.high) === 0 ? '' : 'lead elsewhere',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
