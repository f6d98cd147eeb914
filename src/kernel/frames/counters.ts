/** Counts of the kernel's work since it started: one object of plain numbers, always on. */
export class KernelCounters {
  /** Page faults with a good end, without reading a disk, as getrusage(2) counts them. */
  minorFaults = 0;
  /** Page faults with a read from a disk. */
  majorFaults = 0;
  /** Page faults with a signal at the end. */
  failedFaults = 0;
  /** Page faults for accessed and dirty bits alone: in none of the counts above. */
  markFaults = 0;

  /** Faults by their answer. */
  zeroPageFaults = 0;
  anonymousFaults = 0;
  fileFaults = 0;
  /** Write faults with a copy of a page. */
  cowFaults = 0;
  /** Write faults by the last owner of a page: it became writable in place. */
  reuseFaults = 0;
  hugeFaults = 0;

  /** Entries of the lowest level (or huge ones) seen by fork, present or not. */
  forkEntriesVisited = 0;
  /** Entries written by fork into the child's tables. */
  forkEntriesCopied = 0;
  /** Entries of the parent made read-only by fork. */
  forkEntriesProtected = 0;
  /** Bytes of page tables made by fork for children. */
  forkTableBytes = 0;
  forks = 0;

  /** Page tables made and freed, of all levels. */
  tablesAllocated = 0;
  tablesFreed = 0;
  framesAllocated = 0;
  framesFreed = 0;
  framesZeroed = 0;
  /** 4 KiB frames copied by copy-on-write, and the bytes. */
  framesCopied = 0;
  bytesCopied = 0;

  /** INVLPG instructions, and invalidations of everything (MOV CR3), after changes to entries. */
  invlpg = 0;
  fullFlushes = 0;
  /** MOV CR3 for a change of process. */
  switches = 0;

  /** Huge entries split into 512, huge pages made by collapse, huge zero pages made. */
  hugeSplits = 0;
  hugeCollapses = 0;
  hugeZeroPages = 0;
  /** Huge pages asked for and not to be had: 4 KiB were used. */
  hugeFallbacks = 0;
}
