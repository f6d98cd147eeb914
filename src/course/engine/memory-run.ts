/** Programs of processes: accesses on the machine, faults to the student's kernel, and the byte oracle beside it. */

import { describeStale, PAGE_FAULT, toHex } from '../../../hw/index.js';
import type { CourseProcess, CourseRegion } from './student.js';
import { auditFrames } from './audit.js';
import type { Ways } from './audit.js';
import { FindingError } from './finding.js';
import { ByteOracle } from './oracle.js';
import type { OracleRegion } from './oracle.js';
import { regionAt } from './program.js';
import type { MemoryOperation, MemoryProgram } from './program.js';
import type { Session } from './session.js';
import { World } from './world.js';

/** An access that faults again so often makes no headway. */
const MOST_FAULTS = 6;

interface Living {
  readonly process: CourseProcess;
  readonly oracle: ByteOracle;
}

/** A region as the student sees it: it follows the oracle's, and nobody else changes it. */
function viewOf(region: OracleRegion): CourseRegion {
  const { start, end, shared, global } = region;
  return Object.freeze({
    start,
    end,
    shared,
    global,
    get writable() {
      return region.writable;
    },
  });
}

/** The run of one program. */
class MemoryRun {
  private readonly world: World;
  private readonly living = new Map<string, Living>();
  private current: CourseProcess | null = null;
  private ways: Ways = new Map();

  constructor(
    private readonly session: Session,
    private readonly program: MemoryProgram,
  ) {
    this.world = new World(program);
    const { world } = this;
    world.evict = () => {
      session.call(world, 'evict', 'evict()', world.kernel);
    };
  }

  run(): void {
    const { session, program } = this;
    session.line = -1;
    const first = this.begin('A', new ByteOracle(program.regions.map((region) => ({ ...region }))));
    for (const { start, end, shared } of program.regions) {
      for (let at = start; shared && at < end; at += 4096) this.read(first, at);
    }
    this.look();
    for (const [line, operation] of program.operations.entries()) {
      session.line = line;
      this.step(operation);
      this.look();
    }
    session.line = program.operations.length;
    this.end();
  }

  /** At the end everybody reads everything, and goes. */
  private end(): void {
    const { session, living, program, world } = this;
    for (const one of living.values()) for (const at of one.oracle.addresses()) this.read(one, at);
    this.look();
    if (!program.exits) return;
    for (const name of [...living.keys()]) {
      this.step({ do: 'exit', by: name });
      this.look();
    }
    if (!session.checks) return;
    for (const [slot, label] of world.slots.takenBy) {
      throw new FindingError('leaked slot', `slot ${slot} is leaked: allocated by ${label}, and nobody gave it back`);
    }
  }

  private step(operation: MemoryOperation): void {
    const one = this.living.get(operation.by);
    // Its fork was left out, or it is gone.
    if (one === undefined) return;
    switch (operation.do) {
      case 'read':
        this.read(one, operation.at);
        break;
      case 'write':
        this.write(one, operation.at, operation.value);
        break;
      case 'fill':
        for (let i = 0; i < operation.pages; i++) this.write(one, operation.at + i * 4096, (operation.value + i) % 256);
        break;
      case 'fork':
        this.fork(one, operation.child);
        break;
      case 'exit':
        this.exit(one);
        break;
      case 'discard':
        this.discard(one, operation.at);
        break;
      case 'protect':
        this.protect(one, operation.region, operation.writable);
    }
  }

  private begin(name: string, oracle: ByteOracle): Living {
    const { world } = this;
    world.label = `the start of ${name}`;
    const root = world.kernel.allocate();
    world.ram.zeroFrames(root);
    const process = Object.freeze({ name, root, regions: Object.freeze(oracle.regions.map(viewOf)) });
    const one = { process, oracle };
    world.processes.push(process);
    this.living.set(name, one);
    return one;
  }

  private fork({ process, oracle }: Living, name: string): void {
    if (this.living.has(name)) return;
    // fork is a system call: it runs while its process does.
    this.switchTo(process);
    const child = this.begin(name, oracle.fork());
    const { session, world } = this;
    session.call(world, 'fork', `fork(${process.name}, ${name})`, world.kernel, process, child.process);
  }

  private exit({ process, oracle }: Living): void {
    const { session, world } = this;
    if (this.current === process) {
      this.current = null;
      world.hardware.writeRoot(world.idleRoot);
    }
    oracle.exit();
    session.call(world, 'exit', `exit(${process.name})`, world.kernel, process);
    this.living.delete(process.name);
    world.processes.splice(world.processes.indexOf(process), 1);
  }

  private discard({ process, oracle }: Living, at: number): void {
    const { session, world } = this;
    this.switchTo(process);
    oracle.discard(at);
    session.call(world, 'discard', `discard(${process.name}, ${toHex(at)})`, world.kernel, process, at);
  }

  private protect({ process, oracle }: Living, number: number, writable: boolean): void {
    const { session, world } = this;
    if (oracle.regions[number].writable === writable) return;
    this.switchTo(process);
    oracle.regions[number].writable = writable;
    const text = `protect(${process.name}, region ${number}, ${writable ? 'writable' : 'read-only'})`;
    session.call(world, 'protect', text, world.kernel, process, process.regions[number]);
  }

  private switchTo(process: CourseProcess): void {
    if (this.current === process) return;
    this.current = process;
    this.session.call(this.world, 'switchTo', `switchTo(${process.name})`, this.world.kernel, process);
  }

  private read({ process, oracle }: Living, at: number): void {
    const expected = oracle.read(at);
    const got = this.access(process, at);
    this.judge(`${process.name} reads ${toHex(at)}`, expected, got);
  }

  private write({ process, oracle }: Living, at: number, value: number): void {
    const { session, world, program } = this;
    const alone = oracle.isSoleOwner(at);
    world.allocations = 0;
    const expected = oracle.write(at, value) ? value : undefined;
    const got = this.access(process, at, value);
    this.judge(`${process.name} writes to ${toHex(at)}`, expected, got);
    const copied = program.reuse && alone && world.allocations > 0;
    session.expect(!copied, 'copied alone', () => {
      return `${process.name} is the last owner of the page at ${toHex(at)}, and its write still allocated a frame: set the right to write in place`;
    });
  }

  private judge(what: string, expected: number | undefined, got: number | undefined): void {
    if (expected === got || !this.session.checks) return;
    this.stale();
    if (expected === undefined) {
      const why = 'it was done, and should be refused: pageFault has to answer false';
      throw new FindingError('wrong fault', `${what}: ${why}`);
    }
    if (got === undefined) {
      throw new FindingError('wrong fault', `${what}: pageFault refused it; the region allows it`);
    }
    throw new FindingError('wrong byte', `${what}: ${expected} expected, ${got} read`);
  }

  /** One byte read or written in user mode; undefined when the kernel refuses. */
  private access(process: CourseProcess, at: number, value?: number): number | undefined {
    const { session, world } = this;
    const { hardware } = world;
    this.switchTo(process);
    if (regionAt(process.regions, at)?.global !== true) world.accessed(at);
    for (let faults = 0; faults < MOST_FAULTS; faults++) {
      const status = world.access(at, value);
      if (status >= 0) return value ?? world.byteRead;
      const code = hardware.latch(hardware.mmu.fault.take());
      if (status !== PAGE_FAULT) {
        this.stale();
        const entry = world.lastEntry(process.root, at);
        const found = entry < 0 ? 'a table of it leads to no RAM' : `its entry at ${toHex(entry)} leads to no RAM`;
        throw new FindingError('bad table', `${process.name} accesses ${toHex(at)}: ${found}`);
      }
      const text = `pageFault(${process.name}, ${toHex(at)}, ${value === undefined ? 'read' : 'write'})`;
      const answer: unknown = session.call(world, 'pageFault', text, world.kernel, process, code);
      if (typeof answer !== 'boolean') {
        throw new FindingError(
          'bad answer',
          `${text} answered ${String(answer)}: true makes the access again, false refuses it`,
        );
      }
      if (!answer) return undefined;
    }
    this.stale();
    const entry = world.lastEntry(process.root, at);
    const now = entry < 0 ? 'no table leads to it' : `its entry at ${toHex(entry)} is ${toHex(world.entryAt(entry))}`;
    const again = `${process.name} ${value === undefined ? 'reads' : 'writes to'} ${toHex(at)}, pageFault answered true, and it faults again ${MOST_FAULTS} times`;
    throw new FindingError('no end', `${again}: ${now}`);
  }

  /** After each operation: translations in use, and every frame. */
  private look(): void {
    if (!this.session.checks) return;
    this.stale();
    this.ways = auditFrames(this.world, this.ways, new Set());
  }

  private stale(): void {
    const stale = this.world.hardware.checker?.found.at(0);
    if (stale !== undefined && this.session.checks) throw new FindingError('stale entry', describeStale(stale));
  }
}

/** Runs it. @throws FindingError */
export function runMemory(session: Session, program: MemoryProgram): void {
  new MemoryRun(session, program).run();
}
