/** How a page fault ends: at or above 0 the access restarts, below it the process gets a signal. */

export const FAULT_MINOR = 0;
/** The page had to be read from a disk. */
export const FAULT_MAJOR = 1;
/** Nothing but accessed and dirty bits had to be set, on a processor that leaves them to software. */
export const FAULT_MARKS = 2;

/** SIGSEGV, SEGV_MAPERR: nothing is mapped at the address. */
export const SEGV_MAPERR = -0x1_0001;
/** SIGSEGV, SEGV_ACCERR: the mapping does not allow the access. */
export const SEGV_ACCERR = -0x1_0002;
/** SIGBUS, BUS_ADRERR: the object has no such page. */
export const BUS_ADRERR = -0x1_0003;
/** SIGKILL: no memory was left for the fault. */
export const OOM_KILL = -0x1_0004;

/** Every signal to end an access, by name. Sources: Linux manual pages, sigaction(2), signal(7). */
export const SIGNALS = { SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR, OOM_KILL } as const;

/** The name of a signal. */
export type SignalName = keyof typeof SIGNALS;
/** A signal as the kernel returns it: below 0. */
export type Signal = (typeof SIGNALS)[SignalName];

const WORDS: ReadonlyMap<number, string> = new Map<number, string>([
  [SEGV_MAPERR, 'SIGSEGV (SEGV_MAPERR)'],
  [SEGV_ACCERR, 'SIGSEGV (SEGV_ACCERR)'],
  [BUS_ADRERR, 'SIGBUS (BUS_ADRERR)'],
  [OOM_KILL, 'SIGKILL (out of memory)'],
]);

/** Whether a number is a signal of the kernel, and neither an errno nor a status of the hardware. */
export function isSignal(result: number): result is Signal {
  return WORDS.has(result);
}

/** `SIGSEGV (SEGV_MAPERR)` and the like, for people. */
export function signalName(result: number): string {
  return WORDS.get(result) ?? `signal ${result}`;
}
