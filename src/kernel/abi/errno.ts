/**
 * Errors as the kernel returns them: negative numbers inside, names at the edge.
 * Source: Linux manual pages, errno(3).
 */

import { SIGNAL_NAMES } from './signal.js';

export const EPERM = -1;
export const ENOENT = -2;
export const ESRCH = -3;
export const EBADF = -9;
export const ECHILD = -10;
export const EAGAIN = -11;
export const ENOMEM = -12;
export const EACCES = -13;
export const EFAULT = -14;
export const EBUSY = -16;
export const EEXIST = -17;
export const EINVAL = -22;
export const EFBIG = -27;
export const EIDRM = -43;
export const EOVERFLOW = -75;
export const EOPNOTSUPP = -95;

const NAMES = new Map<number, string>([
  [EPERM, 'EPERM'],
  [ENOENT, 'ENOENT'],
  [ESRCH, 'ESRCH'],
  [EBADF, 'EBADF'],
  [ECHILD, 'ECHILD'],
  [EAGAIN, 'EAGAIN'],
  [ENOMEM, 'ENOMEM'],
  [EACCES, 'EACCES'],
  [EFAULT, 'EFAULT'],
  [EBUSY, 'EBUSY'],
  [EEXIST, 'EEXIST'],
  [EINVAL, 'EINVAL'],
  [EFBIG, 'EFBIG'],
  [EIDRM, 'EIDRM'],
  [EOVERFLOW, 'EOVERFLOW'],
  [EOPNOTSUPP, 'EOPNOTSUPP'],
]);

/** `-12` as `ENOMEM`, a signal as {@link signalName} has it; a number that is neither as `error N`. */
export function errnoName(error: number): string {
  return NAMES.get(error) ?? SIGNAL_NAMES.get(error) ?? `error ${-error}`;
}
