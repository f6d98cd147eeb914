/** A file mapped by two processes: private until somebody writes, or shared for good. */

import type { OpenFile } from '../../../kernel/space/model.js';
import type { Process } from '../../../kernel/space/process.js';
import { claims } from '../../chapter/words.js';
import { PagedMachine } from '../../paged-machine.js';
import type { Lab, Story } from '../../story.js';

const BYTES = 4096;
const AT = 0x5000_0000;

/** Two processes, and the file that both map. */
interface Mappers {
  readonly machine: PagedMachine;
  readonly file: OpenFile;
  readonly a: Process;
  readonly b: Process;
}

/** Byte 7 of the file, by read(2). */
function inFile({ machine, file }: Mappers): number {
  const byte = new Uint8Array(1);
  machine.kernel.files.read(file, 7, byte);
  return byte[0];
}

/** Draws a mapping of each. */
function drawn(story: Story, { machine, a, b }: Mappers, inA: number, inB: number): void {
  story.maps(machine.mapping('A', a, inA), machine.mapping('B', b, inB));
}

/** Both map it private, and A writes. @returns the address in A */
function mapPrivate(story: Story, mappers: Mappers): number {
  const { machine, file, a, b } = mappers;
  const { counters } = machine.kernel;
  const [inA, inB] = [a, b].map((process) => machine.map(process, BYTES, { file, at: AT }));
  machine.load(a, inA);
  machine.load(b, inB);
  const together = machine.frame(a, inA) === machine.frame(b, inB);
  story.step(
    'A and B map the file private and read it: both see the one page of the page cache.',
    ...[a, b].map((process, i) => `${'AB'[i]}: ${machine.entry(process, AT)}`),
  );
  drawn(story, mappers, inA, inB);
  machine.store(a, inA + 7, 200);
  const fault = machine.lastFault;
  const apart = machine.frame(a, inA) !== machine.frame(b, inB);
  story.step(
    'A writes byte 7: it gets a copy, and neither B nor the file changes.',
    fault,
    `A reads ${machine.load(a, inA + 7)}, B ${machine.load(b, inB + 7)}, the file has ${inFile(mappers)}`,
    `bytes copied: ${counters.bytesCopied}`,
  );
  drawn(story, mappers, inA, inB);
  story.figure('sharedUntilWritten', 'private: one page until somebody writes', together, true);
  story.figure(
    'apartAfterwards',
    'private: two pages after the write',
    apart,
    claims('fork(), memory-mapped files', together && apart),
    true,
  );
  story.figure('privateByteInB', 'private: what B still reads', machine.load(b, inB + 7), 7);
  story.figure('bytesCopied', 'bytes copied by the write', counters.bytesCopied, BYTES);
  return inA;
}

/** Both map it shared, and A writes. @returns the address in B */
function mapShared(story: Story, mappers: Mappers): number {
  const { machine, file, a, b } = mappers;
  const [inA, inB] = [a, b].map((process) => machine.map(process, BYTES, { file, shared: true }));
  machine.store(a, inA + 7, 201);
  const seen = machine.load(b, inB + 7);
  story.step(
    'Both map it shared: what A writes is in the file, B sees it, and so does read(2).',
    `B reads ${seen}, the file has ${inFile(mappers)}`,
    `A: ${machine.entry(a, inA)}; B: ${machine.entry(b, inB)}`,
  );
  drawn(story, mappers, inA, inB);
  story.why(
    'B may write, and its entry is read-only all the same: it has only read so far. The kernel makes the entry of a shared file page writable at the first write, so as to know that the page is dirty and must go to disk, as Linux does.',
  );
  story.figure(
    'sharedByteInB',
    'shared: what B reads after A wrote 201',
    seen,
    claims('IPC shared memory, databases', seen === 201),
    201,
  );
  story.figure('byteInFile', 'shared: the byte in the file', inFile(mappers), 201);
  const frames = new Set([machine.frame(a, inA), machine.frame(b, inB)]).size;
  story.figure('sharedFrames', 'shared: pages in memory for two processes', frames, 1);
  return inB;
}

export const mappedFile: Lab = {
  name: 'mapped-file',
  title: 'A file mapped by two processes, private and shared',
  everywhere: true,
  run(story) {
    const machine = new PagedMachine(16 * 2 ** 20, story);
    story.on(machine);
    const file = machine.file('notes', BYTES);
    const [a, b] = [machine.spawn(), machine.spawn()];
    const mappers = { machine, file, a, b };
    const privateInA = mapPrivate(story, mappers);
    const sharedInB = mapShared(story, mappers);
    const stillPrivate = machine.load(a, privateInA + 7);
    story.step("A's private copy stays as it was.", `A reads ${stillPrivate} there`);
    story.maps(machine.mapping('A, private', a, privateInA), machine.mapping('B, shared', b, sharedInB));
    story.figure('privateCopyKept', "what A's private copy still has", stillPrivate, 200);
  },
};
