/** The hardware alone: what `pagewalk/hw` exports. */
export * from './base/access.js';
export * from './base/address.js';
export * from './x86/core.js';
export * from './translate/cost.js';
export { Counters } from './translate/counters.js';
export type { AccessCounts, CounterValues } from './translate/counters.js';
export * from './base/fault.js';
export * from './x86/exception.js';
export * from './x86/mmu.js';
export * from './base/format.js';
export * from './x86/format.js';
export * from './memory/ram.js';
export * from './base/random.js';
export * from './x86/registers.js';
export { describeDescriptor, describeSelector } from './x86/segmentation/describe.js';
export {
  CALL_GATE_FORMAT,
  LONG_UPPER_FORMAT,
  packCallGate,
  packSegment,
  SEGMENT_FORMAT,
  SELECTOR_FIELDS,
  unpackCallGate,
  unpackSegment,
} from './x86/segmentation/descriptor.js';
export type { CallGateFields, SegmentFields } from './x86/segmentation/descriptor.js';
export { farReturn } from './x86/segmentation/far-return.js';
export { farCall, farJump } from './x86/segmentation/far-transfer.js';
export { loadSegment, setSegmentBase } from './x86/segmentation/load.js';
export * from './x86/segmentation/query.js';
export * from './x86/segmentation/register.js';
export { loadGdt, loadLdt, loadTaskRegister } from './x86/segmentation/table-registers.js';
export type { SharedRam } from './memory/shared-memory.js';
export { SegmentationUnit } from './x86/segmentation/unit.js';
export type { LinearMemory, SegmentationMode } from './x86/segmentation/unit.js';
export { describeStale } from './translate/stale-check.js';
export type { ChangedEntry, StaleEntry } from './translate/stale-check.js';
export type { TlbArrayShape, TlbGeometry, TlbLevelShape, WalkCacheGeometry } from './tlb/hierarchy.js';
export { parseTlb } from './tlb/parse.js';
export { MODEL_DEFAULT, NO_TLB, presetByName, presetNames } from './tlb/presets.js';
export type { Replacement } from './tlb/replacement.js';
export type { TlbShape } from './tlb/shape.js';
