/**
 * Errors as the kernel returns them: negative numbers, each with a name.
 *
 * No errno is the value of a signal or of a hardware's status; Linux's own -11 would be both. The low 16 bits of the
 * negated value are Linux's number. Source: Linux manual pages, errno(3).
 */

import { isSignal, signalName } from './signal.js';
import type { Signal } from './signal.js';
import { statusName } from './status-x86.js';

/** An errno, marked for the compiler alone: its value is the plain number. */
const errno = <N extends number>(value: N): N & { readonly errno: true } => value as N & { readonly errno: true };

/** Operation not permitted. */
export const EPERM = errno(-0x2_0001);
/** No such file or object. */
export const ENOENT = errno(-0x2_0002);
/** No such process: it has ended. */
export const ESRCH = errno(-0x2_0003);
/** Bad file descriptor. */
export const EBADF = errno(-0x2_0009);
/** No child processes. */
export const ECHILD = errno(-0x2_000a);
/** Try again: a vfork child runs first, or memory ran out for a lock. */
export const EAGAIN = errno(-0x2_000b);
/** No memory, no room for addresses, or a hole in the range. */
export const ENOMEM = errno(-0x2_000c);
/** Permission denied. */
export const EACCES = errno(-0x2_000d);
/** Bad address. */
export const EFAULT = errno(-0x2_000e);
/** Busy: the pages are locked. */
export const EBUSY = errno(-0x2_0010);
/** It is there already. */
export const EEXIST = errno(-0x2_0011);
/** A wrong argument. */
export const EINVAL = errno(-0x2_0016);
/** The file would be too large. */
export const EFBIG = errno(-0x2_001b);
/** The identifier was removed. */
export const EIDRM = errno(-0x2_002b);
/** An offset past the largest file. */
export const EOVERFLOW = errno(-0x2_004b);
/** The file has no such operation. */
export const EOPNOTSUPP = errno(-0x2_005f);

/** Every errno of the kernel, by name. */
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

/** The name of an errno. */
export type ErrnoName = keyof typeof ERRNOS;
/** An errno as the kernel returns it: below 0. The compiler lets none pass for an address or a count. */
export type Errno = (typeof ERRNOS)[ErrnoName];

/**
 * An address of a process, bytes: any number but an errno. `Address | Errno` has to be told apart by {@link isErrno}
 * or {@link must} before it goes into a call.
 */
export type Address = number & { readonly errno?: never };
/** The value of a call that succeeded, a count of bytes or an id: any number but an errno, as {@link Address}. */
export type CallValue = number & { readonly errno?: never };

/** How a system call without a value ends: 0 or an errno. */
export type CallResult = 0 | Errno;
/** How an access of a process ends: 0, the signal for it, or the errno of a process that cannot run. */
export type AccessResult = 0 | Signal | Errno;

/** Linux's number for an errno: 12 for ENOMEM. */
export function errnoNumber(error: Errno): number {
  const value: number = error;
  return -value & 0xffff;
}

const NAMES = new Map<number, string>(Object.entries(ERRNOS).map(([name, error]) => [error, name]));

/** Whether a number is an errno of the kernel, and neither a signal nor a status of the hardware. */
export function isErrno(result: number): result is Errno {
  return NAMES.has(result);
}

/** ENOMEM as `ENOMEM`; a signal and a hardware's status by their own names; any other number as `error N`. */
export function errnoName(result: number): string {
  const errno = NAMES.get(result);
  if (errno !== undefined) return errno;
  if (isSignal(result)) return signalName(result);
  return statusName(result) ?? `error ${-result}`;
}
