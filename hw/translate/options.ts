/** The parts of a machine of any architecture, and those for its translations. */

import { checkChoice, checkKind, checkOptions, objectWith } from '../base/arguments.js';
import type { Ram } from '../memory/ram.js';
import type { TlbGeometry } from '../tlb/hierarchy.js';
import { MODEL_DEFAULT } from '../tlb/presets.js';
import { TLB_GEOMETRY } from '../tlb/shape.js';
import type { TlbShape } from '../tlb/shape.js';
import type { Counters } from './counts/counters.js';
import type { SoftFront, TranslationOptions, TranslationPath } from './path/caches.js';
import type { Walks } from './walk/walks.js';

/** The parts of every machine. Only `ram` must be given. */
export interface MachineOptions {
  readonly ram: Ram;
  /** Shape of the TLBs, from presets.ts or parseTlb; the model's default when absent. */
  readonly tlb?: TlbGeometry;
  /** A cache of page-table entries to price a walk's reads; absent, every read costs the same. */
  readonly entryCache?: TlbShape;
  /** How translations are found; `modelled` when absent. The others take no TLB shape, count nothing and check nothing. */
  readonly path?: TranslationPath;
  /** Compare every TLB hit with a fresh walk, and report stale entries in `checker.found`. */
  readonly check?: boolean;
}

const REQUIRED = { ram: objectWith('load32', 'a Ram, such as new Ram({ bytes: 2 ** 24 })') };

/** To be called before anything else of the options is read. @param machine its class @throws TypeError */
export function checkMachineOptions(machine: string, options: MachineOptions): void {
  const name = `${machine}: options`;
  checkOptions(name, options, REQUIRED);
  if (options.tlb !== undefined) checkKind(`${name}.tlb`, options.tlb, TLB_GEOMETRY);
}

const PATHS: readonly TranslationPath[] = ['modelled', 'soft', 'walk'];

function checkedPath(options: MachineOptions): TranslationPath {
  const path = options.path ?? 'modelled';
  checkChoice('path', path, PATHS);
  for (const option of ['tlb', 'check', 'entryCache'] as const) {
    if (path === 'modelled' || !options[option]) continue;
    throw new RangeError(`${option} cannot go with path '${path}': it is for the modelled TLB; leave it or path out`);
  }
  return path;
}

/**
 * The options of the translations of a machine. @throws RangeError for a path that is none, or options it cannot have
 */
export function translationOptions(
  walks: Walks,
  options: MachineOptions,
  counters: Counters,
  front: SoftFront,
): TranslationOptions {
  const { ram, tlb = MODEL_DEFAULT, entryCache, check = false } = options;
  return { ram, walks, counters, geometry: tlb, check, entryCache, path: checkedPath(options), front };
}
