import { LogicalProcessor } from '../translate/logical-processor.js';
import type { HandlerOf } from '../translate/logical-processor.js';
import type { Mmu } from './mmu.js';

/** One x86 processor without segments: accesses go straight to its MMU. */
export class Core extends LogicalProcessor<Mmu> {}

/** Deals with an exception; true restarts the access, false gives it up. */
export type ExceptionHandler = HandlerOf<Mmu>;
