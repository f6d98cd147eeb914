/** A guest of x86, under EPT or NPT, in words. */

import { formatHex, PAGE_OFFSET_MASK } from '../../../hw/base/address.js';
import { KEY_SHIFT } from '../../../hw/base/permission.js';
import type { ReadEvent } from '../../../hw/translate/walk/events.js';
import { describeException } from '../../../hw/x86/describe-exception.js';
import { PTE_KEY_SHIFT, X86_MODES } from '../../../hw/x86/format.js';
import type { Mmu } from '../../../hw/x86/mmu.js';
import { vmExitOf } from '../../../hw/x86/nested/exits.js';
import { broken } from '../walk/check.js';
import type { Reason } from '../walk/check.js';
import { X86_CHECKS } from '../walk/checks.js';
import type { Hex } from '../entry-level.js';
import { accessBits } from '../state-form.js';
import { explainFault, OLDER } from '../walk/walk-fault.js';
import { levelOf } from '../walk/walk-levels.js';
import { checkExplained } from '../walk/walk.js';
import type { WalkRequest } from '../walk/walk.js';
import type { WalkStep } from '../walk/walk-result.js';
import { stepOf } from '../walk/walk-steps.js';
import { hostReason } from './host-reason.js';
import { explainStages } from './nested-walk.js';
import type { EntryOnWay, NestedTerms, NestedWalkResult } from './nested-walk.js';

/**
 * Makes the access on `mmu`, in a guest, and explains it.
 * @throws RangeError if no guest runs, TypeError for fields of another kind
 */
export function explainNestedWalk(mmu: Mmu, request: WalkRequest): NestedWalkResult {
  return explainNestedSteps(mmu, request).result;
}

/** The same, and each step of the processor. */
export function explainNestedSteps(mmu: Mmu, request: WalkRequest): { result: NestedWalkResult; steps: WalkStep[] } {
  checkExplained('explainNestedWalk', mmu, request);
  return explainStages(mmu, x86NestedTerms(mmu, request), request);
}

function x86NestedTerms(mmu: Mmu, request: WalkRequest): NestedTerms {
  const host = mmu.vm.hostMode;
  if (host === null) throw new RangeError('no guest runs on this processor: explain it by explainWalk');
  const { mode } = mmu.rules;
  const rootBits = mode === 'pae' ? ~0x1f : ~PAGE_OFFSET_MASK;
  return {
    machine: 'x86',
    guest: X86_MODES[mode],
    host: { title: host.name.startsWith('ept') ? host.title : `nested ${host.title}`, levels: host.levels },
    root: mmu.cr3Hi * 2 ** 32 + ((mmu.cr3Lo & rootBits) >>> 0),
    tableOf: ({ high, low }) => (high & 0xf_ffff) * 2 ** 32 + ((low & ~PAGE_OFFSET_MASK) >>> 0),
    pageOf: (entry) => pageOf(mmu, entry, request),
    fault: (entries) => ({
      ...(mmu.fault.stage === 2 ? hostReason(mmu, host, entries) : guestReason(mmu, request, entries)),
      exit: vmExitOf(mmu.fault)?.reason ?? null,
      text: describeException(mmu.fault.take()),
    }),
    step: (event) => stepOf(mmu, request, event),
  };
}

/** Why the guest's own tables refuse. */
function guestReason(mmu: Mmu, { hi, lo, access, user }: WalkRequest, entries: readonly EntryOnWay[]): Reason {
  const own = entries.filter(({ stage }) => stage === 1);
  const last = own.at(-1);
  const { rules, fault: exception } = mmu;
  const { reasons, section } = explainFault({
    mmu,
    exception,
    access: accessBits(access, user),
    levels: own.map((entry) => levelOf(mmu, entry, hi, lo, false)),
    last,
    // A page's key is in its entry alone.
    rights: last === undefined ? 0 : last.rights | ((last.high >>> (PTE_KEY_SHIFT - KEY_SHIFT)) & rules.keyMask),
  });
  if (reasons.length === 0) return broken(X86_CHECKS.kept, OLDER);
  return { rule: reasons[0].rule, why: reasons.map(({ text }) => text).join('; '), section };
}

/** The guest-physical address of the byte in an entry's page. */
function pageOf(mmu: Mmu, { high, low, level }: ReadEvent, { lo }: WalkRequest): Hex {
  const { mode } = mmu.rules;
  const shift = X86_MODES[mode].levels.find((candidate) => candidate.level === level)?.shift ?? 12;
  const inPage = 2 ** shift - 1;
  const above = mode === '32' && shift > 12 ? (low >>> 13) & 0xff : high & 0xf_ffff;
  return formatHex(above, (low & ~inPage) | (lo & inPage));
}
