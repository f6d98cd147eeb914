/**
 * Linkage sections: home of the addresses that differ from process to process. A pure procedure cannot hold them
 * itself.
 *
 * A link is a far pointer of 8 bytes. Unsnapped it has a null selector: a call through it raises #GP(0), the link
 * fault; the offset is the number of the link. Snapped it leads straight to its target.
 */

import { ENOENT } from '../../kernel/abi/errno.js';
import type { MulticsProcess } from './process.js';
import { selectorOf } from './supervisor.js';
import type { Supervisor } from './supervisor.js';

/** A far pointer: offset in 4 bytes, selector in 2, and 2 unused. */
export const LINK_BYTES = 8;

/** The number of the running procedure's linkage section, made on its first call in this ring; or ENOMEM. */
export function linkageFor(multics: Supervisor, process: MulticsProcess): number {
  const key = `${process.ring}:${process.procedure}`;
  const existing = process.linkage.get(key);
  if (existing !== undefined) return existing;
  const links = process.known.at(process.procedure)?.named?.links ?? [];
  const number = multics.makeOwn(process, process.ring, Math.max(1, links.length) * LINK_BYTES);
  if (number < 0) return number;
  for (let link = 0; link < links.length; link++) {
    const written = multics.writePair(process, number, link * LINK_BYTES, link, 0);
    if (written < 0) return written;
  }
  process.linkage.set(key, number);
  return number;
}

/**
 * The linker: finds the target of link `link` of the running procedure, makes it known, and snaps the link. Returns 0,
 * ENOENT for an unknown segment or symbol, or ENOMEM.
 */
export function snapLink(multics: Supervisor, process: MulticsProcess, link: number): number {
  const target = process.known.at(process.procedure)?.named?.links[link];
  if (target === undefined) return ENOENT;
  const number = multics.initiate(process, target.segment);
  if (number < 0) return number;
  const offset = multics.directory.get(target.segment)?.symbols.get(target.symbol);
  if (offset === undefined) return ENOENT;
  const linkage = linkageFor(multics, process);
  if (linkage < 0) return linkage;
  const written = multics.writePair(process, linkage, link * LINK_BYTES, offset, selectorOf(number));
  if (written < 0) return written;
  multics.kernel.counters.linkFaults++;
  return 0;
}
