/** Machines by name, to compare with: with as much RAM as the host gives, and on x86 with pages from the kernel. */

import { reserveRam } from '../../../hw/memory/reserve.js';
import type { TlbGeometry } from '../../../hw/tlb/hierarchy.js';
import { ReplayMachine } from './machine.js';
import { x86Pages } from './pages/page-kinds.js';
import type { MachineName, PagesKind } from './pages/page-kinds.js';
import { targetOf } from './targets/targets.js';

/**
 * Whether RAM is shared memory, though nobody shares it: V8 takes the size of any other buffer, touched or not, for garbage
 * to come, and spent a third of a comparison's CPU time on collecting it.
 */
const SHARED = typeof SharedArrayBuffer !== 'undefined';

/**
 * @param pages their kind, or log2 of the bytes of a page of x86
 * @param hostShift log2 of the bytes of a host's pages; null without a host
 * @throws RangeError when the host cannot give any RAM
 */
export function makeMachine(
  pages: number | PagesKind,
  tlb: TlbGeometry,
  ramBytes = Infinity,
  machine: MachineName = 'x86',
  hostShift: number | null = null,
): ReplayMachine {
  const kind = typeof pages === 'number' ? x86Pages(pages) : pages;
  return new ReplayMachine(targetOf(machine), kind, tlb, reserveRam(ramBytes, SHARED), hostShift);
}
