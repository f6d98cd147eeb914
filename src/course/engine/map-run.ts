/** Programs of mappings: the student's `map` in one table, accesses through it, and the tables counted. */

import { toHex } from '../../../hw/index.js';
import type { CourseProcess } from './student.js';
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

/** Runs it. @throws FindingError */
export function runMap(session: Session, program: MapProgram): void {
  const world = new World(program);
  const { words } = world.hardware;
  const pages = new Map<number, Mapped>();
  /** Frames mapped at least once: the program's. */
  const kept = new Set<number>();
  world.label = 'the start';
  const root = world.kernel.allocate();
  world.ram.zeroFrames(root);
  world.hardware.writeRoot(root);
  const process: CourseProcess = { name: 'A', root, regions: [] };
  world.processes.push(process);
  let ways: Ways = new Map();

  const map = (at: number, writable: boolean): void => {
    world.label = 'the program';
    const frame = world.kernel.allocate();
    world.ram.zeroFrames(frame);
    kept.add(frame);
    const entry = words.entry(frame, writable ? words.page.writable : words.page.readable);
    session.call(world, 'map', `map(root ${root}, ${toHex(at)}, ${toHex(entry)})`, world.kernel, root, at, entry);
    pages.set(at, { frame, writable, bytes: new Map() });
  };
  const access = (at: number, value?: number): void => {
    const write = value !== undefined;
    const page = pages.get(at - (at % 4096));
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
  };
  const step = (operation: MapOperation): void => {
    if (operation.do === 'map') map(operation.at, operation.writable);
    else if (operation.do === 'read') access(operation.at);
    else access(operation.at, operation.value);
  };
  const look = (): void => {
    if (!session.checks) return;
    ways = auditFrames(world, ways, kept);
    for (const [frame, by] of ways) {
      const stray = by.find(
        ({ entry, level, address }) => words.isLeaf(entry, level) && pages.get(address)?.frame !== frame,
      );
      if (stray !== undefined) {
        throw new FindingError(
          'bad table',
          `the entry ${toHex(stray.entry)} at ${toHex(stray.entryAt)} maps ${toHex(stray.address)} to frame ${frame}: nobody asked for it`,
        );
      }
    }
  };

  for (const [line, operation] of program.operations.entries()) {
    session.line = line;
    step(operation);
    look();
  }
  session.line = program.operations.length;
  for (const [at, { bytes }] of pages) for (const byte of [at, ...bytes.keys()]) access(byte);
}
