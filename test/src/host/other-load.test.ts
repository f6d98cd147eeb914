import { expect, it } from 'vitest';
import { busySeconds, loadNote } from '../../../src/host/other-load.js';

it('counts user, nice, system, interrupts and stolen time, not idle time nor guests a second time', () => {
  expect(busySeconds('cpu  100 20 300 4000 5000 6 70 800 9000 9000\ncpu0 1 1 1 1 1 1 1 1 1 1\n')).toBe(12.96);
  expect(busySeconds('')).toBe(0);
});

it('says so when others kept processors busy, and not of what a quiet system does', () => {
  expect(loadNote(0.1)).toBeUndefined();
  expect(loadNote(1.43)).toMatch(/^other programs kept 1\.4 of \d+ processors busy/);
});
