/** Checks broken one by one, and the ends of the accesses that break them. */

import { expect, it } from 'vitest';
import type { Check, Reason } from '../../../src/explain/walk/check.js';
import type { AccessKind } from '../../../src/explain/machine-state.js';

/** How an access ends: the broken check, and the fault's name. */
export type End = Reason & { readonly fault: string };
/** The access, to page 0 by user mode unless said otherwise. */
export interface Options {
  readonly access?: AccessKind;
  readonly user?: boolean;
  readonly at?: bigint;
}

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
export const bit = (n: number): bigint => 1n << BigInt(n);

/** Stores of a state. */
export function memoryOf(entries: Readonly<Record<number, bigint>>): { at: string; value: string }[] {
  return Object.entries(entries).map(([at, value]) => ({ at: hex(Number(at)), value: hex(value) }));
}

/** The end of a walk of one stage or two, with the fault's name. */
export function endOf(outcome: { readonly kind: string }): End {
  if (outcome.kind !== 'fault') throw new Error('the access was allowed');
  const { name, exit, text } = outcome as { name?: string; exit?: string | null; text?: string };
  return { ...(outcome as unknown as Reason), fault: name ?? exit ?? text ?? '' };
}

/** Each check of a table is broken once, by an access that fails with the table's fault and section. */
export function breaksEach(checks: Readonly<Record<string, Check>>, ends: Readonly<Record<string, () => End>>): void {
  it.each(Object.entries(ends))('%s', (name, end) => {
    const { rule, why, section, fault } = end();
    expect({ rule, section }).toEqual({ rule: checks[name].rule, section: checks[name].section });
    expect(fault).toContain(checks[name].fault);
    expect(why).not.toBe('');
  });

  it('and there are no others', () => {
    expect(Object.keys(ends)).toEqual(Object.keys(checks));
  });
}
