/** A recorded AArch64 case in words. */

import { abortName } from '../../../hw/aarch64/exception.js';
import { hexOf } from '../recording/hardware.js';
import type { ArmCase, ArmOutcome } from './arm-case.js';

const OPERATIONS = { r: 'read', w: 'write', x: 'instruction fetch', tr: 'unprivileged read', tw: 'unprivileged write' };

/** The case decoded: processor, level, access, registers, descriptors in memory. */
export function armCaseText(recorded: ArmCase): string {
  const { fam, cpu, granule, el, op, size, va, tcr, mair, sctlr, pan, uao, ttbr0, ttbr1, mem } = recorded;
  const guest = 'vtcr' in recorded ? { vtcr: recorded.vtcr, vttbr: recorded.vttbr } : {};
  const registers = Object.entries({ tcr, ttbr0, ttbr1, mair, ...guest }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${hexOf(value)}`],
  );
  const set = Object.entries({ m: sctlr.m, wxn: sctlr.wxn, pan, uao }).filter(([, value]) => value === 1);
  const act = fam === 'at' ? `AT for a ${OPERATIONS[op]}` : OPERATIONS[op];
  return [
    `  ${cpu}, ${granule} KiB, EL${el}: ${act} of ${size} bytes at ${hexOf(va)}`,
    `  ${[...registers, ...set.map(([name]) => name.toUpperCase())].join('  ')}`,
    ...mem.map(([address, value]) => `  descriptor at ${hexOf(address)} = ${hexOf(value)}`),
  ].join('\n');
}

/** An outcome in words. */
export function armOutcomeText(outcome: ArmOutcome): string {
  const par = outcome.par === undefined ? '' : `, PAR ${outcome.par.map(hexOf).join(' and ')}`;
  if (outcome.k === 'ok') return `at physical ${outcome.pa.map(hexOf).join(' and ')}${par}`;
  if ('fst' in outcome) return `${abortName(outcome.fst.lo)}${par}`;
  const { stage, esr, far, ipa } = outcome;
  const from = ipa === undefined ? '' : `, ipa ${hexOf(ipa)}`;
  return `stage ${stage} ${abortName(esr.lo)}, esr ${hexOf(esr)}, far ${hexOf(far)}${from}${par}`;
}
