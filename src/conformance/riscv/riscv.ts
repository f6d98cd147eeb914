/** Replays recordings of RISC-V processors: `pagewalk conform riscv`. */

import { conformHardware } from '../recording/hardware.js';
import type { HardwareRecordings } from '../recording/hardware.js';
import { sameWord, sameWords } from '../recording/words.js';
import type { ConformanceResult } from '../recording/result.js';
import { riscvCase } from './riscv-case.js';
import type { RiscvCase, RiscvOutcome } from './riscv-case.js';
import { RiscvMachine } from './riscv-machine.js';
import { riscvCaseText, riscvOutcomeText } from './riscv-words.js';

/** Recordings of RISC-V processors. */
export const RISCV_RECORDINGS: HardwareRecordings<RiscvCase, RiscvOutcome> = {
  schema: riscvCase,
  sameOutcome,
  caseText: riscvCaseText,
  outcomeText: riscvOutcomeText,
};

/** As {@link conformHardware}. */
export function conformRiscv(files: readonly string[]): ConformanceResult {
  const machine = new RiscvMachine();
  return conformHardware(files, RISCV_RECORDINGS, (recorded) => machine.replay(recorded));
}

function sameOutcome(expected: RiscvOutcome, got: RiscvOutcome): boolean {
  if (expected.k === 'ok') return got.k === 'ok' && sameWords(expected.pa, got.pa, { hi: 0, lo: 0 });
  return (
    got.k === 'fault' &&
    expected.cause === got.cause &&
    sameWord(expected.tval, got.tval) &&
    sameWord(expected.tval2, got.tval2) &&
    sameWord(expected.tinst, got.tinst)
  );
}
