/** A recorded RISC-V case in words. */

import { flagNames } from '../../../hw/base/format.js';
import { causeName } from '../../../hw/riscv/exception.js';
import { RISCV_MODES } from '../../../hw/riscv/format.js';
import { wordText } from '../recording/words.js';
import type { RiscvCase, RiscvOutcome } from './riscv-case.js';

const OPERATIONS = { r: 'read', w: 'write', amo: 'atomic read-modify-write', x: 'instruction fetch' };
const FLAGS = ['sum', 'mxr', 'adue', 'pbmte', 'svnapot', 'vsum', 'vmxr', 'hadue', 'hpbmte'] as const;

/** The case decoded: mode, privilege, access, registers, entries in memory. */
export function riscvCaseText(recorded: RiscvCase): string {
  const { mode, gmode, priv, v, mprv, mpp, op, size, va, mem } = recorded;
  const modes = gmode === undefined ? mode : `${mode} over ${gmode}`;
  const guest = v === 1 ? ' for a guest' : '';
  const as = mprv === 1 ? `${priv}-mode under MPRV as ${mpp ?? '?'}-mode${guest}` : `${priv}-mode${guest}`;
  const registers = (['satp', 'vsatp', 'hgatp'] as const).flatMap((name) => {
    const value = recorded[name];
    return value === undefined ? [] : [`${name} ${wordText(value)}`];
  });
  const set = FLAGS.filter((name) => recorded[name] === 1).map((name) => name.toUpperCase());
  // Flags have the same places in entries of every level as in a leaf.
  const format = RISCV_MODES[recorded.xlen === 32 ? 'sv32' : 'sv39'].levels.at(-1)?.pageEntry;
  const entries = mem.map(([address, value]) => {
    const flags = format === undefined ? '' : flagNames(format, value.hi, value.lo);
    return `  entry at ${wordText(address)} = ${wordText(value)}  ${flags}`.trimEnd();
  });
  return [
    `  ${modes}, ${as}: ${OPERATIONS[op]} of ${size} bytes at ${wordText(va)}`,
    `  ${[...registers, ...set].join('  ')}`,
    ...entries,
  ].join('\n');
}

/** An outcome in words. */
export function riscvOutcomeText(outcome: RiscvOutcome): string {
  if (outcome.k === 'ok') return `at physical ${outcome.pa.map(wordText).join(' and ')}`;
  const { cause, tval, tval2, tinst } = outcome;
  const more = [tval2 && `tval2 ${wordText(tval2)}`, tinst && `tinst ${wordText(tinst)}`].filter(
    (text) => text !== undefined,
  );
  return [`${causeName(cause)} (${cause}), tval ${wordText(tval)}`, ...more].join(', ');
}
