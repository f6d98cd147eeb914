/**
 * Errors as the kernel returns them: negative numbers, each with a name.
 *
 * No errno is the value of a signal or of a hardware's status, which Linux's own -11 would be: the low 16 bits of the
 * negated value are the number that Linux knows. Source: Linux manual pages, errno(3).
 */

import { faultName, isStatus } from '../../../hw/x86/status.js';
import { SIGNALS, signalName } from './signal.js';

export const EPERM = -0x2_0001;
export const ENOENT = -0x2_0002;
export const ESRCH = -0x2_0003;
export const EBADF = -0x2_0009;
export const ECHILD = -0x2_000a;
export const EAGAIN = -0x2_000b;
export const ENOMEM = -0x2_000c;
export const EACCES = -0x2_000d;
export const EFAULT = -0x2_000e;
export const EBUSY = -0x2_0010;
export const EEXIST = -0x2_0011;
export const EINVAL = -0x2_0016;
export const EFBIG = -0x2_001b;
export const EIDRM = -0x2_002b;
export const EOVERFLOW = -0x2_004b;
export const EOPNOTSUPP = -0x2_005f;

/** Every errno that the kernel returns, by name. */
export const ERRNOS = {
  EPERM,
  ENOENT,
  ESRCH,
  EBADF,
  ECHILD,
  EAGAIN,
  ENOMEM,
  EACCES,
  EFAULT,
  EBUSY,
  EEXIST,
  EINVAL,
  EFBIG,
  EIDRM,
  EOVERFLOW,
  EOPNOTSUPP,
} as const;

export type ErrnoName = keyof typeof ERRNOS;
export type Errno = (typeof ERRNOS)[ErrnoName];

/** Linux's number for an errno: 12 for ENOMEM. */
export function errnoNumber(error: Errno): number {
  return -error & 0xffff;
}

const NAMES = new Map<number, string>(Object.entries(ERRNOS).map(([name, error]) => [error, name]));

/** ENOMEM as `ENOMEM`; a signal and a hardware's status by their own names; a number that is none as `error N`. */
export function errnoName(result: number): string {
  const errno = NAMES.get(result);
  if (errno !== undefined) return errno;
  if (Object.values<number>(SIGNALS).includes(result)) return signalName(result);
  return isStatus(result) ? faultName(result) : `error ${-result}`;
}
