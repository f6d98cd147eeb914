/** Replays recordings of AArch64 processors: `pagewalk conform arm`. */

import { conformHardware } from '../recording/hardware.js';
import type { HardwareRecordings } from '../recording/hardware.js';
import { sameWord, sameWords } from '../recording/words.js';
import type { ConformanceResult } from '../recording/result.js';
import { armCase } from './arm-case.js';
import type { ArmCase, ArmOutcome } from './arm-case.js';
import { ArmMachine } from './arm-machine.js';
import { armCaseText, armOutcomeText } from './arm-words.js';

const EVERY_BIT = { hi: 0, lo: 0 };

/** Recordings of AArch64 processors: PAR_EL1 is part of the outcome. */
export const ARM_RECORDINGS: HardwareRecordings<ArmRecording, ArmOutcome> = {
  schema: armCase.transform(withPar),
  sameOutcome,
  caseText: armCaseText,
  outcomeText: armOutcomeText,
};

/** A case with everything to compare in its outcome. */
export type ArmRecording = ArmCase & { readonly out: ArmOutcome };

function withPar(recorded: ArmCase): ArmRecording {
  return 'par' in recorded ? ({ ...recorded, out: { ...recorded.out, par: recorded.par } } as ArmRecording) : recorded;
}

/** As {@link conformHardware}. */
export function conformArm(files: readonly string[]): ConformanceResult {
  const machine = new ArmMachine();
  return conformHardware(files, ARM_RECORDINGS, (recorded) => machine.replay(recorded));
}

function sameOutcome(expected: ArmOutcome, got: ArmOutcome): boolean {
  if (!sameWords(expected.par ?? [], got.par ?? [], EVERY_BIT)) return false;
  if (expected.k === 'ok') return got.k === 'ok' && sameWords(expected.pa, got.pa, EVERY_BIT);
  if (got.k === 'ok') return false;
  if ('fst' in expected) return 'fst' in got && sameWord(expected.fst, got.fst);
  return (
    'esr' in got &&
    expected.stage === got.stage &&
    sameWord(expected.esr, got.esr) &&
    sameWord(expected.far, got.far) &&
    (expected.ipa === undefined || sameWord(expected.ipa, got.ipa))
  );
}
