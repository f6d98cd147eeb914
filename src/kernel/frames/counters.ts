/** What the kernel did: one object of plain numbers, always on, all of them since the kernel started. */
export class KernelCounters {
  /** Page faults that ended well without reading a disk, as getrusage(2) counts them. */
  minorFaults = 0;
  /** Page faults that had to read a disk. */
  majorFaults = 0;
  /** Page faults that ended in a signal. */
  failedFaults = 0;

  /** Faults by what they did. */
  zeroPageFaults = 0;
  anonymousFaults = 0;
  fileFaults = 0;
  /** Write faults that copied a page. */
  cowFaults = 0;
  /** Write faults that made the last owner's page writable in place. */
  reuseFaults = 0;
  hugeFaults = 0;

  /** Entries of the lowest level (or huge ones) that fork looked at, whether present or not. */
  forkEntriesVisited = 0;
  /** Entries that fork wrote into the child's tables. */
  forkEntriesCopied = 0;
  /** Entries of the parent that fork made read-only. */
  forkEntriesProtected = 0;
  /** Bytes of page tables that fork made for children. */
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

  /** INVLPG instructions, and invalidations of everything (MOV CR3) that changes to entries needed. */
  invlpg = 0;
  fullFlushes = 0;
  /** MOV CR3 for a change of process. */
  switches = 0;

  /** Huge entries split into 512, huge pages made by collapse, huge zero pages made. */
  hugeSplits = 0;
  hugeCollapses = 0;
  hugeZeroPages = 0;
  /** Huge pages asked for and not to be had, so that 4 KiB were used. */
  hugeFallbacks = 0;
}
