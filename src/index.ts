/**
 * The exports of `pagewalk`: the hardware and the kernel, and traces, comparisons, labs and explanations on top of
 * them.
 * @module pagewalk
 */

export * from '../hw/index.js';
export * from './kernel/index.js';

// Traces: recorded and generated.
export { AccessBlock, LOAD, MODIFY, STORE } from './trace/block.js';
export type { Trace, TraceCounts } from './trace/block.js';
export type { NamedTrace } from './trace/node/named.js';
export { openTrace } from './trace/node/open.js';
export { record, RecordError } from './trace/node/recorder.js';
export type { KeptWindows, Recording, RecordOptions } from './trace/node/recorder.js';
export type {
  Coverage,
  Ending,
  ProcessOrigin,
  ProcessShare,
  RecordedWindow,
  RunEnding,
  ThreadShare,
  TracedRegion,
} from './trace/coverage.js';
export type { WindowPlan } from './trace/windows.js';
export type { EngineChoice } from './trace/node/choose.js';
export type { EngineName, RecordingPlan } from './trace/node/engine.js';
export { shippedTraces } from './trace/node/shipped.js';
export type { ShippedTrace } from './trace/node/shipped.js';
export type { TraceFacts, TraceMetadata } from './trace/packed/metadata.js';
export type { OpenOptions, RecordedTrace } from './trace/recorded.js';
export { TraceError } from './trace/trace-error.js';
export { openWorkload, WORKLOADS } from './trace/workload.js';
export type { Workload, WorkloadOptions } from './trace/workload.js';

// Comparisons: page sizes, forks, TLB shapes.
export { compare } from './compare/compare.js';
export type { CompareOptions, TraceSource } from './compare/compare.js';
export { countTraces } from './compare/counts.js';
export type { CountOptions, CountRow } from './compare/counts.js';
export type { MachineName } from './compare/machine/pages/page-kinds.js';
export type { PageName } from './report/results/schema.js';
export type { HugePolicy, ShmemMode, ThpMode } from './regions/policy.js';
export { pricesFor } from './compare/time/preset-prices.js';
export { MachinePrices } from './report/results/prices.js';
export { forkCost } from './compare/fork-cost.js';
export type { ForkOptions } from './compare/fork-cost.js';
export { sweep } from './compare/sweep/sweep.js';
export type { SweepOptions } from './compare/sweep/sweep.js';
export type { SweepCounts, SweepResult, SweepRow } from './report/results/sweep-result.js';
export type { SweepTrace } from './compare/sweep/sweep-task.js';

// Labs and explanations.
export { LABS } from './lab/labs.js';
export { runLab } from './lab/story.js';
export type { Lab } from './lab/story.js';
export type { LabMachine } from './lab/lab-machines.js';
export { demoState } from './explain/demo-states.js';
export type { DemoMode } from './explain/demo-states.js';
export { buildMachine } from './explain/machine.js';
export type { ExplainedMachine } from './explain/machine.js';
export { parseState } from './explain/machine-state.js';
export { StateError } from './explain/state-form.js';
export type { AccessKind, MachineState } from './explain/machine-state.js';
export { explainSegment } from './explain/segment/segment.js';
export type { SegmentRequest } from './explain/segment/segment.js';
export type {
  ExplainedDescriptor,
  SegmentAccess,
  SegmentCheck,
  SegmentResult,
  SegmentTransfer,
} from './explain/segment/segment-result.js';
export { explainNestedWalk } from './explain/nested/x86-nested.js';
export type { NestedFault, NestedRead, NestedRow, NestedWalkResult } from './explain/nested/nested-walk.js';
export type { EntryLevel, Hex } from './explain/entry-level.js';
export { explainWalk } from './explain/walk/walk.js';
export type { WalkRequest } from './explain/walk/walk.js';
export type { Allowed } from './explain/walk/rights.js';
export type {
  EntryChange,
  ErrorBit,
  FaultOutcome,
  FaultReason,
  MappedOutcome,
  TlbAnswer,
  WalkCacheAnswer,
  WalkLevel,
  WalkResult,
} from './explain/walk/walk-result.js';

// Results, as in the JSON, and their forms for people and for tables.
export { CompareResult } from './report/results/compare-result.js';
export { ForkResult } from './report/results/fork-result.js';
export { LabResult } from './report/results/lab-result.js';
export { toCsv } from './report/output/csv.js';
export type { CsvCell } from './report/output/csv.js';
export { compareRows, compareText } from './report/views/compare-views.js';
export { forkRows, forkText } from './report/views/fork-views.js';
export { labText } from './report/views/lab-views.js';
export { sweepRows, sweepText } from './report/views/sweep-views.js';
export { segmentText } from './explain/segment/segment-text.js';
export { walkText } from './explain/walk/walk-text.js';
