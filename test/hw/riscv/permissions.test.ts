import { describe, expect, it } from 'vitest';
import { ACCESS_KINDS, FETCH, IMPLICIT, USER, WRITE } from '../../../hw/base/access.js';
import { PERMISSION_CODES } from '../../../hw/base/permission.js';
import { Csrs, HGATP, MSTATUS, VSATP, VSSTATUS } from '../../../hw/riscv/registers.js';
import * as rights from '../../../hw/riscv/rules.js';

const SUM = 1 << 18;
const MXR = 1 << 19;
const SETTINGS = [0, SUM, MXR, SUM | MXR];
const ACCESSES = Array.from({ length: ACCESS_KINDS }, (_, access) => access).filter(
  (access) => (access & (FETCH | WRITE)) !== (FETCH | WRITE),
);

/** Permissions of one stage, as an entry that maps a page has them. */
interface Page {
  readonly r: boolean;
  readonly w: boolean;
  readonly x: boolean;
  readonly u: boolean;
}

const PAGES: readonly Page[] = Array.from({ length: 16 }, (_, bits) => ({
  r: (bits & 1) !== 0,
  w: (bits & 2) !== 0,
  x: (bits & 4) !== 0,
  u: (bits & 8) !== 0,
})).filter(({ r, w, x }) => (r || x) && (r || !w));

/** The permission code that a walk makes of both stages. */
function codeOf(guest: Page, host: Page): number {
  return (
    (guest.r && host.r ? rights.RISCV_RIGHT_READ : 0) |
    (guest.w && host.w ? rights.RISCV_RIGHT_WRITE : 0) |
    (guest.x && host.x ? rights.RISCV_RIGHT_EXECUTE : 0) |
    (guest.u ? rights.RISCV_RIGHT_USER : 0) |
    (guest.x && host.r ? rights.RISCV_RIGHT_MXR : 0)
  );
}

/** "Two-Stage Address Translation", in its own words. `mxr` overrides execute-only permissions of loads. */
function permits({ r, w, x }: Page, access: number, mxr: boolean): boolean {
  if ((access & FETCH) !== 0) return x;
  return (access & WRITE) !== 0 ? w : r || (mxr && x && (access & IMPLICIT) === 0);
}

/** "Addressing and Memory Protection" of Sv32, about the U bit. */
function reaches({ u }: Page, access: number, user: boolean, sum: boolean): boolean {
  return user ? u : !u || (sum && (access & FETCH) === 0);
}

const ALL: Page = { r: true, w: true, x: true, u: true };

describe('permissions', () => {
  it.each(SETTINGS)('one stage, sstatus %i: what the specification says, for each page and access', (status) => {
    const rules = new rights.RiscvRules();
    const csrs = new Csrs(64);
    csrs.set(MSTATUS, 0, status);
    for (const mode of [0, 1]) {
      rules.update(csrs, mode, false, true, false);
      for (const page of PAGES) {
        for (const access of ACCESSES.filter((kind) => (kind & IMPLICIT) === 0)) {
          const user = mode === 0 || (access & USER) !== 0;
          const allowed =
            reaches(page, access, user, (status & SUM) !== 0) && permits(page, access, (status & MXR) !== 0);
          expect(((rules.regime.permitted[access] >>> codeOf(page, ALL)) & 1) === 1).toBe(allowed);
        }
      }
    }
  });

  it.each(SETTINGS.flatMap((host) => SETTINGS.map((guest) => [host, guest] as const)))(
    'two stages, sstatus %i and vsstatus %i: the combined code allows what both stages allow',
    (hostStatus, guestStatus) => {
      const rules = new rights.RiscvRules();
      const csrs = new Csrs(64);
      csrs.set(MSTATUS, 0, hostStatus);
      csrs.set(VSSTATUS, 0, guestStatus);
      csrs.set(VSATP, 8 << 28, 0);
      csrs.set(HGATP, 8 << 28, 0);
      rules.update(csrs, 1, true, true, false);
      const hostMxr = (hostStatus & MXR) !== 0;
      const guestMxr = hostMxr || (guestStatus & MXR) !== 0;
      for (const access of ACCESSES.filter((kind) => (kind & IMPLICIT) === 0)) {
        for (const guest of PAGES) {
          for (const host of PAGES.filter(({ u }) => u)) {
            const first =
              reaches(guest, access, (access & USER) !== 0, (guestStatus & SUM) !== 0) &&
              permits(guest, access, guestMxr);
            const allowed = first && permits(host, access, hostMxr);
            const got = (rules.regime.permitted[access] >>> codeOf(guest, host)) & 1;
            if ((got === 1) !== allowed) expect({ access, guest, host, got }).toEqual({ allowed });
          }
        }
      }
    },
  );

  it.each(SETTINGS)("the host's stage, sstatus %i: user pages alone, and no MXR for entries", (status) => {
    const rules = new rights.RiscvRules();
    const csrs = new Csrs(64);
    csrs.set(MSTATUS, 0, status);
    csrs.set(HGATP, 8 << 28, 0);
    rules.update(csrs, 1, true, true, false);
    for (const page of PAGES) {
      for (const access of ACCESSES) {
        const allowed = page.u && permits(page, access, (status & MXR) !== 0);
        expect(((rules.second.permitted[access] >>> codeOf(page, ALL)) & 1) === 1).toBe(allowed);
      }
    }
  });

  it('has a bit for each code', () => {
    expect(Math.max(...PAGES.flatMap((guest) => PAGES.map((host) => codeOf(guest, host))))).toBeLessThan(
      PERMISSION_CODES,
    );
  });
});
