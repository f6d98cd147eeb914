/** The hardware alone: what `pagewalk/hw` exports. */
export * from './access.js';
export * from './address.js';
export * from './core.js';
export * from './cost.js';
export { Counters } from './counters.js';
export type { AccessCounts, CounterValues } from './counters.js';
export * from './exception.js';
export * from './mmu.js';
export * from './paging/format.js';
export * from './paging/x86-format.js';
export * from './ram.js';
export * from './random.js';
export * from './registers.js';
export { describeDescriptor, describeSelector } from './segmentation/describe.js';
export {
  CALL_GATE_FORMAT,
  LONG_UPPER_FORMAT,
  packCallGate,
  packSegment,
  SEGMENT_FORMAT,
  SELECTOR_FIELDS,
  unpackCallGate,
  unpackSegment,
} from './segmentation/descriptor.js';
export type { CallGateFields, SegmentFields } from './segmentation/descriptor.js';
export { farReturn } from './segmentation/far-return.js';
export { farCall, farJump } from './segmentation/far-transfer.js';
export { loadSegment, setSegmentBase } from './segmentation/load.js';
export * from './segmentation/query.js';
export * from './segmentation/register.js';
export { loadGdt, loadLdt, loadTaskRegister } from './segmentation/table-registers.js';
export type { SharedRam } from './shared-memory.js';
export { SegmentationUnit } from './segmentation/unit.js';
export type { LinearMemory, SegmentationMode } from './segmentation/unit.js';
export { describeStale } from './stale-check.js';
export type { ChangedEntry, StaleEntry } from './stale-check.js';
export type { TlbArrayShape, TlbGeometry, TlbLevelShape, WalkCacheGeometry } from './tlb/hierarchy.js';
export { parseTlb } from './tlb/parse.js';
export { MODEL_DEFAULT, NO_TLB, presetByName, presetNames } from './tlb/presets.js';
export type { Replacement } from './tlb/replacement.js';
export type { TlbShape } from './tlb/shape.js';
