import type { ProcessImage, Region } from '../../../src/inspect/process-image.js';

/** A region of `bytes` at `start`: anonymous, writable memory unless `fields` say otherwise. */
export function region(start: number, bytes: number, fields: Partial<Region> = {}): Region {
  return {
    start,
    end: start + bytes,
    permissions: 'rw-p',
    offset: 0,
    device: '00:00',
    inode: 0,
    name: '',
    pageBytes: 4096,
    resident: 0,
    anonymous: 0,
    anonymousHuge: 0,
    swapped: 0,
    flags: ['rd', 'wr'],
    ...fields,
  };
}

/** A process of these regions. */
export function image(regions: Region[], runs: ProcessImage['runs'] = new Map()): ProcessImage {
  return { pid: 7, command: 'app', regions, runs, kernelTableBytes: null };
}
