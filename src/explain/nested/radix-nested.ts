/** What the two stages of RISC-V and AArch64 have in common: the end of an access, and its steps. */

import type { TranslatingMachine } from '../../../hw/translate/machine.js';
import type { WalkRequest } from '../walk/walk.js';
import { radixStep } from '../radix/radix-steps.js';
import { faultWords } from '../radix/radix-text.js';
import type { RadixTerms } from '../radix/radix-walk.js';
import type { NestedTerms } from './nested-walk.js';

/** @param first what the machine says about the guest's own tables, and about faults of either stage */
export function radixNestedTerms(
  machine: TranslatingMachine,
  first: RadixTerms,
  request: WalkRequest,
): Pick<NestedTerms, 'machine' | 'fault' | 'step'> {
  return {
    machine: first.machine,
    fault: (entries) => {
      const fault = first.fault(request, entries);
      const { rule, why, section } = fault;
      return { exit: machine.fault.stage === 2 ? fault.name : null, text: faultWords(fault), rule, why, section };
    },
    step: (event, { address, rows, outcome }) => {
      const levels = rows.flatMap(({ what, entry }) => (entry === undefined ? [] : [{ ...entry, where: what }]));
      const fault = outcome.kind === 'fault' ? outcome.text : '';
      return radixStep(first, { address, levels, fault }, event);
    },
  };
}
