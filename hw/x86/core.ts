import { LogicalProcessor } from '../translate/logical-processor.js';
import type { Exception } from '../base/fault.js';
import type { Mmu } from './mmu.js';

/** One x86 processor without segments: accesses go straight to its MMU. */
export class Core extends LogicalProcessor<Mmu> {}

/** Deals with an exception; true restarts the access, false gives it up. */
export type ExceptionHandler = (exception: Exception, core: Core) => boolean;
