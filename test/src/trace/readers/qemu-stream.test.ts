import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBigInt } from '../../../../hw/base/address.js';
import { FETCH, LOAD, MODIFY, STORE, type AccessBlock } from '../../../../src/trace/block.js';
import { QemuStream, qemuBlocks } from '../../../../src/trace/readers/qemu-stream.js';

const [BEGIN, FORKED, ACCESSES, END, AWAY, THREAD] = [1, 2, 3, 4, 5, 6];
/** Accesses are of this thread, in a window that begins here. */
const TID = 70n;
const WINDOW = 4096n;

/** A frame as `plugin.c` writes it, byte by byte. */
function frame(type: number, process: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + payload.length);
  bytes.set([type, 0, 0, 0, process & 255, (process >> 8) & 255, 0, 0, payload.length & 255, payload.length >> 8]);
  bytes.set(payload, 16);
  return bytes;
}

/** A word of 64 bits, its lowest byte first. */
function words(...values: bigint[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))),
  );
}

const access = (address: bigint, kind: bigint, size: bigint): bigint =>
  BigInt.asUintN(56, address) | (kind << 56n) | (size << 58n);
const text = (path: string): Uint8Array => new TextEncoder().encode(path);

const accesses = (...all: bigint[]): Uint8Array => words(TID, WINDOW, ...all);
const thread = (tid: bigint, made: bigint, instructions: bigint, name: string): Uint8Array =>
  Uint8Array.from([...words(tid, made, instructions), ...text(name)]);

const begin = (pid: number, program: string): Uint8Array =>
  frame(BEGIN, pid, Uint8Array.from([...words(0n), ...text(program)]));

/** Everything that a stream makes of chunks, as `[address, kind, size]`. */
async function read(
  chunks: Uint8Array[],
  stream = new QemuStream(),
  onBlock: (block: AccessBlock) => void = () => undefined,
): Promise<[bigint, number, number][]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  const all: [bigint, number, number][] = [];
  for await (const block of qemuBlocks(source(), stream)) {
    onBlock(block);
    for (let i = 0; i < block.length; i++) {
      const address = toBigInt(block.addressHi(i), block.addressLo(i));
      all.push([address, block.kind(i), block.size(i)]);
    }
  }
  return all;
}

describe('QemuStream', () => {
  it('reads the four kinds, their sizes, and addresses of both halves', async () => {
    const payload = accesses(
      access(0x401000n, 0n, 15n),
      access(0x7fff_ffff_fff8n, 1n, 8n),
      access(0x8000_0010n, 2n, 1n),
      access(0xffff_ffff_ff60_0000n, 3n, 32n),
    );
    expect(await read([begin(7, '/bin/true'), frame(ACCESSES, 7, payload)])).toEqual([
      [0x401000n, FETCH, 15],
      [0x7fff_ffff_fff8n, LOAD, 8],
      [0x8000_0010n, STORE, 1],
      [0xffff_ffff_ff60_0000n, MODIFY, 32],
    ]);
  });

  it('keeps address spaces apart: commands, children, and programs in place of others', async () => {
    const stream = new QemuStream();
    const blocks: string[] = [];
    await read(
      [
        begin(1, '/bin/sh'),
        frame(ACCESSES, 1, accesses(access(8n, 1n, 8n))),
        frame(FORKED, 2, Uint8Array.from([...words(5n, 1n, 0n), ...text('/bin/sh')])),
        frame(ACCESSES, 2, accesses(access(8n, 1n, 8n))),
        frame(ACCESSES, 1, accesses(access(8n, 1n, 8n))),
        frame(END, 2, words()),
        begin(2, '/bin/ls'),
        frame(ACCESSES, 2, accesses(access(8n, 1n, 8n), access(16n, 1n, 8n))),
      ],
      stream,
      ({ process, length }) => blocks.push(`${process}: ${length}`),
    );
    const origins = stream.processes.map(({ pid, program, origin }) => [pid, program, origin]);
    expect(origins).toEqual([
      [1, '/bin/sh', 'command'],
      [2, '/bin/sh', 'fork'],
      [2, '/bin/ls', 'exec'],
    ]);
    expect(blocks).toEqual(['0: 1', '1: 1', '0: 1', '2: 2']);
  });

  it('keeps threads and windows apart, and takes late accesses to the window under way', async () => {
    const blocks: string[] = [];
    const of = (tid: bigint, window: bigint): Uint8Array =>
      frame(ACCESSES, 1, words(tid, window, access(8n, 1n, 8n), access(8n, 2n, 8n)));
    const frames = [of(1n, 0n), of(2n, 0n), of(2n, 0n), of(2n, 100n), of(1n, 0n), of(1n, 100n)];
    await read([begin(1, '/bin/true'), ...frames], new QemuStream(), (block) => {
      blocks.push(`thread ${block.thread} window ${block.window}: ${block.length}`);
    });
    expect(blocks).toEqual([
      'thread 0 window 0: 2',
      'thread 1 window 0: 2',
      'thread 1 window 0: 2',
      'thread 1 window 100: 2',
      'thread 0 window 100: 2',
      'thread 0 window 100: 2',
    ]);
  });

  it('adds up what threads counted, and knows who never ended', async () => {
    const stream = new QemuStream();
    await read(
      [
        begin(1, '/bin/true'),
        begin(300, '/bin/cat'),
        frame(THREAD, 1, thread(1n, 10n, 25n, 'main')),
        frame(THREAD, 1, thread(9n, 2n ** 40n, 5n, 'worker')),
        frame(END, 1, words()),
      ],
      stream,
    );
    expect(stream.processes).toMatchObject([
      { accesses: 2 ** 40 + 10, instructions: 30, ended: true },
      { ended: false },
    ]);
    expect(stream.processes[0].threads).toEqual([
      { tid: 1, name: 'main', accesses: 10 },
      { tid: 9, name: 'worker', accesses: 2 ** 40 },
    ]);
  });

  it('names programs that left', async () => {
    const stream = new QemuStream();
    await read([frame(AWAY, 1, text('/usr/bin/sudo'))], stream);
    expect(stream.unseen).toEqual(['/usr/bin/sudo']);
  });

  it('reads the same however the bytes are cut, more than a block of them too', async () => {
    const full = frame(
      ACCESSES,
      1,
      accesses(...Array.from({ length: 508 }, (_, i) => access(BigInt(4096 * i), 1n, 8n))),
    );
    const frames = Array.from({ length: 40 }, () => [...full]).flat();
    const bytes = Uint8Array.from([...begin(1, '/bin/true'), ...frames]);
    const whole = await read([bytes]);
    expect(whole).toHaveLength(40 * 508);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 30 }), async (steps) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; at += steps[i++ % steps.length]) {
          chunks.push(bytes.subarray(at, at + steps[i % steps.length]));
        }
        expect(await read(chunks)).toEqual(whole);
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ['a frame that is cut', begin(1, '/bin/true').subarray(0, 20), 'byte 0: expected the rest of a frame'],
    ['a type that is none', frame(9, 1, new Uint8Array(0)), 'expected a type of frame from 1 to 8, found 9'],
    ['more than a frame holds', frame(ACCESSES, 1, new Uint8Array(5000)), 'expected at most 4080 bytes'],
    ['an access of nobody', frame(ACCESSES, 1, accesses()), 'expected the begin of a process first, found process 1'],
    [
      'an access of no bytes',
      Uint8Array.from([...begin(1, 'x'), ...frame(ACCESSES, 1, accesses(access(16n, 1n, 0n)))]),
      'expected an access of 1 to 63 bytes',
    ],
  ])('refuses %s, naming the place', async (_, bytes, message) => {
    await expect(read([bytes])).rejects.toThrow(message);
  });
});
