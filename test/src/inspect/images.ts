import type { ProcessImage } from '../../../src/inspect/process-image.js';
import { kindOf } from '../../../src/regions/region.js';
import type { LiveRegion } from '../../../src/regions/smaps.js';

/** A region of `bytes` at `start`: anonymous, writable memory unless `fields` say otherwise. */
export function region(start: number, bytes: number, fields: Partial<LiveRegion> = {}): LiveRegion {
  const all = {
    start,
    end: start + bytes,
    permissions: 'rw-p',
    offset: 0,
    device: '00:00',
    inode: 0,
    name: '',
    pageBytes: 4096,
    advice: 'none' as const,
    resident: 0,
    referenced: 0,
    anonymous: 0,
    anonymousHuge: 0,
    fileHuge: 0,
    swapped: 0,
    flags: ['rd', 'wr'],
    ...fields,
  };
  return { ...all, kind: fields.kind ?? kindOf(all) };
}

/** A process of these regions. */
export function image(regions: LiveRegion[], runs: ProcessImage['runs'] = new Map()): ProcessImage {
  return { pid: 7, command: 'app', regions, runs, kernelTableBytes: null };
}
