import { kindOf } from '../../../src/regions/region.js';
import type { Region } from '../../../src/regions/region.js';

/** A region of `bytes` at `start`: private, writable anonymous memory unless `fields` say otherwise. */
export function region(start: number, bytes: number, fields: Partial<Region> = {}): Region {
  const all = {
    start,
    end: start + bytes,
    permissions: 'rw-p',
    offset: 0,
    name: '',
    pageBytes: 4096,
    advice: 'none' as const,
    ...fields,
  };
  return { ...all, kind: fields.kind ?? kindOf(all) };
}
