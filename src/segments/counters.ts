/** The deeds of the segmented kernel: one object of plain numbers, always on, all of them since the kernel started. */
export class SegmentCounters {
  /** Faults that ended well, by their work; and those ended by a signal. */
  cowFaults = 0;
  /** Write faults of a last owner, who then writes in place. */
  reuseFaults = 0;
  notPresentFaults = 0;
  linkFaults = 0;
  ringFaults = 0;
  failedFaults = 0;

  forks = 0;
  /** Descriptors written into the child's table by fork, and those of the parent made read-only. */
  forkDescriptorsCopied = 0;
  forkDescriptorsProtected = 0;

  segmentsCreated = 0;
  segmentsFreed = 0;
  /** Segments copied whole, by copy-on-write or to be apart, and the bytes. */
  segmentsCopied = 0;
  bytesCopied = 0;

  /** Bytes of new and of grown segments, filled with zeros. */
  bytesZeroed = 0;

  /** Descriptors stored in RAM, for whatever reason. */
  descriptorsWritten = 0;
  /** Segment registers reloaded because their descriptor had changed. */
  reloads = 0;
  /** LLDT for a change of process, ring or table. */
  tableSwitches = 0;

  compactions = 0;
  /** Segments moved, by compaction or to grow, and the bytes. */
  segmentsMoved = 0;
  bytesMoved = 0;
  swapOuts = 0;
  swapIns = 0;
  bytesSwapped = 0;
  allocationFailures = 0;
}
