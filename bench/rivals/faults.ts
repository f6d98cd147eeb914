/** How a fault reaches the caller: as a negative code, or thrown. */

import type { Mmu } from '../../hw/x86/mmu.js';
import type { Ram } from '../../hw/memory/ram.js';
import { mmuFor } from '../native/workload.js';
import { checksumOf } from './contest.js';
import type { Contender, Contest, Scale } from './contest.js';
import { ACCESS } from './loads.js';

const FAULTS = 1 << 14;
/** High word of addresses at 3 TiB: nothing is mapped there. */
const UNMAPPED_HIGH = 3 << 8;

class PageFault extends Error {
  constructor(public errorCode: number) {
    super('page fault');
  }
}

/** Made once: no stack is written down when it is thrown. */
const REUSED = new PageFault(0);

function freshError(errorCode: number): PageFault {
  return new PageFault(errorCode);
}

function reusedError(errorCode: number): PageFault {
  REUSED.errorCode = errorCode;
  return REUSED;
}

/** Translates an address without a mapping; the error code comes with the thrown object. */
function thrownCode(mmu: Mmu, lo: number, make: (errorCode: number) => PageFault): number {
  try {
    if (mmu.translate(UNMAPPED_HIGH, lo, ACCESS) < 0) throw make(mmu.fault.errorCode);
    return 0;
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
    return error.errorCode;
  }
}

export function faultContest(ram: Ram, scale: Scale): Contest {
  const count = Math.max(16, FAULTS * scale);
  const mmu = mmuFor('walk', ram);
  const contender = (name: string, why: string, errorCodeAt: (lo: number) => number): Contender => {
    const codes = new Int32Array(count);
    return {
      name,
      why,
      run: () => {
        for (let i = 0; i < count; i++) codes[i] = errorCodeAt(i << 12);
      },
      checksum: () => checksumOf(codes),
    };
  };
  return {
    question: 'a fault reaches its caller',
    operations: count,
    contenders: [
      contender('negative code', 'an int32 like any other result', (lo) =>
        mmu.translate(UNMAPPED_HIGH, lo, ACCESS) < 0 ? mmu.fault.errorCode : 0,
      ),
      contender('thrown Error', 'writes the stack down and unwinds it', (lo) => thrownCode(mmu, lo, freshError)),
      contender('one Error, thrown again', 'no stack to write down, yet one to unwind', (lo) =>
        thrownCode(mmu, lo, reusedError),
      ),
    ],
  };
}
