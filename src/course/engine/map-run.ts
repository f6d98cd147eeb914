/** Programs of mappings: the student's `map` in one table, accesses through it, and the tables counted. */

import { toHex } from '../../../hw/index.js';
import { auditFrames } from './audit.js';
import type { Ways } from './audit.js';
import { FindingError } from './finding.js';
import type { MapOperation, MapProgram } from './program.js';
import type { Session } from './session.js';
import { World } from './world.js';

/** The page of an address, as it should be. */
interface Mapped {
  readonly frame: number;
  readonly writable: boolean;
  readonly bytes: Map<number, number>;
}

/** The run of one program. */
class MapRun {
  private readonly world: World;
  private readonly root: number;
  private readonly pages = new Map<number, Mapped>();
  /** Frames mapped at least once: the program's. */
  private readonly kept = new Set<number>();
  private ways: Ways = new Map();

  constructor(
    private readonly session: Session,
    private readonly program: MapProgram,
  ) {
    this.world = new World(program);
    const { kernel, ram, hardware, processes } = this.world;
    this.world.label = 'the start';
    this.root = kernel.allocate();
    ram.zeroFrames(this.root);
    hardware.writeRoot(this.root);
    processes.push({ name: 'A', root: this.root, regions: [] });
  }

  run(): void {
    const { session, program, pages } = this;
    for (const [line, operation] of program.operations.entries()) {
      session.line = line;
      this.step(operation);
      this.look();
    }
    session.line = program.operations.length;
    for (const [at, { bytes }] of pages) for (const byte of [at, ...bytes.keys()]) this.access(byte);
  }

  private step(operation: MapOperation): void {
    if (operation.do === 'map') this.map(operation.at, operation.writable);
    else if (operation.do === 'read') this.access(operation.at);
    else this.access(operation.at, operation.value);
  }

  private map(at: number, writable: boolean): void {
    const { session, world, root } = this;
    const { words } = world.hardware;
    world.label = 'the program';
    const frame = world.kernel.allocate();
    world.ram.zeroFrames(frame);
    this.kept.add(frame);
    const entry = words.entry(frame, writable ? words.page.writable : words.page.readable);
    session.call(world, 'map', `map(root ${root}, ${toHex(at)}, ${toHex(entry)})`, world.kernel, root, at, entry);
    this.pages.set(at, { frame, writable, bytes: new Map() });
  }

  private access(at: number, value?: number): void {
    const { session, world } = this;
    const write = value !== undefined;
    const page = this.pages.get(at - (at % 4096));
    const allowed = page !== undefined && (!write || page.writable);
    const status = world.access(at, value);
    const what = `a ${write ? 'write' : 'read'} of ${toHex(at)}`;
    session.expect(status >= 0 === allowed, 'wrong fault', () => {
      return allowed
        ? `${what} faults, after the page was mapped for it`
        : `${what} is done, and ${page === undefined ? 'no page is mapped there' : 'the page is read-only'}`;
    });
    if (status < 0 || page === undefined) return;
    if (write) page.bytes.set(at, value);
    const [expected, got] = [page.bytes.get(at) ?? 0, world.byteRead];
    session.expect(write || expected === got, 'wrong byte', () => `${what}: ${expected} expected, ${got} read`);
  }

  /** Counts the tables, and looks for pages that nobody asked for. */
  private look(): void {
    if (!this.session.checks) return;
    const { words } = this.world.hardware;
    this.ways = auditFrames(this.world, this.ways, this.kept);
    for (const [frame, by] of this.ways) {
      const stray = by.find(
        ({ entry, level, address }) => words.isLeaf(entry, level) && this.pages.get(address)?.frame !== frame,
      );
      if (stray !== undefined) {
        throw new FindingError(
          'bad table',
          `the entry ${toHex(stray.entry)} at ${toHex(stray.entryAt)} maps ${toHex(stray.address)} to frame ${frame}: nobody asked for it`,
        );
      }
    }
  }
}

/** Runs it. @throws FindingError */
export function runMap(session: Session, program: MapProgram): void {
  new MapRun(session, program).run();
}
