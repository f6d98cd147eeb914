/** Programs of walks: tables of the program's own, and the processor's answer to compare with. */

import { highWord, lowWord, READ, toNumber, USER, WRITE, toHex } from '../../../hw/index.js';
import { entryAddress } from './machines.js';
import type { TableOperation, WalkProgram } from './program.js';
import type { Session } from './session.js';
import { World } from './world.js';

/** Runs it. @throws FindingError */
export function runWalk(session: Session, program: WalkProgram): void {
  const world = new World(program);
  const { ram, hardware } = world;
  const { words, mmu } = hardware;
  /** Each table by its level and the addresses below it. */
  const tables = new Map<string, number>();
  const tableOf = (address: number, level: number): number => {
    const key = `${level} ${level === words.levels - 1 ? 0 : Math.floor(address / 2 ** (21 + 9 * level))}`;
    const frame = tables.get(key) ?? world.kernel.allocate();
    if (!tables.has(key)) ram.zeroFrames(frame);
    tables.set(key, frame);
    return frame;
  };
  const root = tableOf(0, words.levels - 1);
  hardware.writeRoot(root);
  for (const [line, operation] of program.operations.entries()) {
    session.line = line;
    if (operation.do === 'entry') {
      const { at, level, flags, page } = operation;
      const entry = words.entry(page ?? tableOf(at, level - 1), flags);
      const address = entryAddress(tableOf(at, level), at, level);
      ram.store64(0, address, highWord(entry), lowWord(entry));
    } else answerWalk(operation);
  }

  function answerWalk({ at, write }: Extract<TableOperation, { readonly do: 'walk' }>): void {
    const text = `walk(root ${root}, ${toHex(at)}, ${write ? 'write' : 'read'})`;
    const answer: unknown = session.call(world, 'walk', text, world.kernel.machine, root, at, write);
    const [hi, lo] = [highWord(at), lowWord(at)];
    const frame = mmu.translate(hi, lo, (write ? WRITE : READ) | USER);
    const expected = frame < 0 ? -1 : toNumber(0, frame) * 4096 + (at % 4096);
    const words = (value: unknown): string =>
      value === -1 ? 'a page fault (-1)' : typeof value === 'number' ? toHex(value) : String(value);
    session.expect(
      answer === expected,
      'bad answer',
      () => `${text} answered ${words(answer)}; the processor finds ${words(expected)}`,
    );
  }
}
