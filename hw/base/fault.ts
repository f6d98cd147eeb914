/**
 * How an access ends, on every machine.
 *
 * Inside a machine a fault is a negative status: a hot path tests one sign bit. Its details lie in one
 * {@link FaultRecord} per unit. Objects are made only at the edge, by {@link FaultRecord.take}.
 */

/** The access completed. */
export const OK = 0;

/**
 * A translation is missing or does not allow the access; the error code has the reason. An architecture's own statuses
 * are its exceptions' numbers, negated; this one has x86's vector. No errno and no signal of the kernel is near them.
 */
export const PAGE_FAULT = -14;
/** No RAM answers at a physical address. Not an architectural exception: boards differ, and the model stops there. */
export const BUS_ERROR = -256;
/** An access was restarted too often and is given up; a real processor would go on for ever. x86: double fault. */
export const GAVE_UP = -8;

/** Level of a fault without an entry at its cause. */
export const NO_LEVEL = -1;

/** The end of a walk of a host's tables without a page: the guest-physical address, and the level. */
export interface HostRefusal {
  readonly faultHi: number;
  readonly faultLo: number;
  readonly faultLevel: number;
}

/** A fault as a value to outlive the access: the form for handlers, reports and tests. */
export interface Exception {
  /** Negative: a constant of this file, or of the architecture. */
  readonly status: number;
  readonly errorCode: number;
  /** The linear address of a page fault and of most others; the physical address of a bus error. */
  readonly hi: number;
  readonly lo: number;
  /** The level of the table with the last entry of the walk, 0 being the lowest; -1 when no entry ended it. */
  readonly level: number;
  /** 1: the walk of the machine's own tables; 2: the walk of a host's tables, for the addresses in them. */
  readonly stage: number;
  /** Stage 2: the guest-physical address without a translation. Else 0. */
  readonly guestHi: number;
  readonly guestLo: number;
}

/** The details of the last fault of a unit; overwritten by the next one. */
export class FaultRecord {
  status = OK;
  errorCode = 0;
  hi = 0;
  lo = 0;
  level = NO_LEVEL;
  stage = 1;
  guestHi = 0;
  guestLo = 0;

  /** Fills the record and returns `status`, for a unit to `return fault.raise(...)`. */
  raise(status: number, errorCode: number, hi: number, lo: number, level = NO_LEVEL): number {
    this.status = status;
    this.errorCode = errorCode;
    this.hi = hi;
    this.lo = lo;
    this.level = level;
    this.stage = 1;
    this.guestHi = 0;
    this.guestLo = 0;
    return status;
  }

  /** The same by a host's tables, `(hi, lo)` being the linear address of the access. @internal */
  raiseByHost(status: number, errorCode: number, hi: number, lo: number, host: HostRefusal): number {
    this.raise(status, errorCode, hi, lo, host.faultLevel);
    this.stage = 2;
    this.guestHi = host.faultHi;
    this.guestLo = host.faultLo;
    return status;
  }

  /** Raises again the fault of another unit, such as the memory behind a segment, under a status of its own. */
  raiseAgain(status: number, fault: FaultRecord): number {
    this.raise(status, fault.errorCode, fault.hi, fault.lo, fault.level);
    this.stage = fault.stage;
    this.guestHi = fault.guestHi;
    this.guestLo = fault.guestLo;
    return status;
  }

  /** The last fault as a value of its own. */
  take(): Exception {
    const { status, errorCode, hi, lo, level, stage, guestHi, guestLo } = this;
    return { status, errorCode, hi, lo, level, stage, guestHi, guestLo };
  }
}
