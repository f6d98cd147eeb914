/** What `pagewalk` exports: the hardware, and the kernel, traces, comparisons and reports on top of it. */

export * from '../hw/index.js';

export { Kernel } from './kernel/kernel.js';
export type { KernelOptions } from './kernel/kernel.js';
export type { Process } from './kernel/space/process.js';
export * from './kernel/abi/flags.js';
export * from './kernel/abi/errno.js';
export { BUS_ADRERR, OOM_KILL, SEGV_ACCERR, SEGV_MAPERR, signalName } from './kernel/abi/signal.js';

export { AccessBlock, LOAD, MODIFY, STORE } from './trace/block.js';
export type { Trace } from './trace/block.js';
export { openTrace } from './trace/node/open.js';
export type { OpenOptions } from './trace/recorded.js';
export { shippedTraces } from './trace/node/shipped.js';
export { TraceError } from './trace/trace-error.js';
export { openWorkload, WORKLOADS } from './trace/workload.js';
export type { WorkloadOptions } from './trace/workload.js';

export { compare } from './compare/compare.js';
export type { CompareOptions, TraceSource } from './compare/compare.js';
export { forkCost } from './compare/fork-cost.js';
export type { ForkOptions } from './compare/fork-cost.js';

export { CompareResult } from './report/compare-result.js';
export { compareRows, compareText } from './report/views/compare-views.js';
export { toCsv } from './report/csv.js';
export { ForkResult } from './report/fork-result.js';
export { forkRows, forkText } from './report/views/fork-views.js';
