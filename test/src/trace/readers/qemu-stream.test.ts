import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBigInt } from '../../../../hw/base/address.js';
import { BLOCK_ACCESSES, FETCH, LOAD, MODIFY, STORE, type AccessBlock } from '../../../../src/trace/block.js';
import { QemuStream, qemuBlocks } from '../../../../src/trace/readers/qemu-stream.js';

const [BEGIN, FORKED, ACCESSES, END, AWAY, THREAD, THREAD_BEGIN] = [1, 2, 3, 4, 5, 6, 9];
/** Recording began here. */
const FROM = 4096n;

/** A frame as the plugin writes it, byte by byte. */
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

const accesses = (...all: bigint[]): Uint8Array => words(0n, FROM, ...all);
const thread = (number: bigint, made: bigint, instructions: bigint, name: string): Uint8Array =>
  Uint8Array.from([...words(number, made, instructions), ...text(name)]);

const threadBegin = (pid: number, number: bigint, tid: bigint): Uint8Array =>
  frame(THREAD_BEGIN, pid, words(number, tid));

/** A program begins, and its first thread. */
const begin = (pid: number, program: string): Uint8Array =>
  Uint8Array.from([
    ...frame(BEGIN, pid, Uint8Array.from([...words(BigInt(pid)), ...text(program)])),
    ...threadBegin(pid, 0n, 70n),
  ]);

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
        threadBegin(2, 0n, 2n),
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

  it('keeps threads apart', async () => {
    const blocks: string[] = [];
    const of = (number: bigint): Uint8Array =>
      frame(ACCESSES, 1, words(number, FROM, access(8n, 1n, 8n), access(8n, 2n, 8n)));
    const frames = [threadBegin(1, 1n, 71n), of(0n), of(1n), of(1n), of(0n)];
    await read([begin(1, '/bin/true'), ...frames], new QemuStream(), (block) => {
      blocks.push(`thread ${block.thread} from ${block.window}: ${block.length}`);
    });
    expect(blocks).toEqual([0, 1, 1, 0].map((number) => `thread ${number} from 4096: 2`));
  });

  it('takes accesses of windows, each turn under the number of its process and thread', async () => {
    const stream = new QemuStream();
    await read([begin(7, '/bin/true'), begin(9, '/bin/cat'), threadBegin(9, 1n, 90n)], stream);
    const turn = (place: bigint, thread: bigint): bigint => place | (thread << 32n);
    const inTurns = [
      ...[turn(7n, 0n), access(8n, 1n, 8n), access(16n, 1n, 8n)],
      ...[turn(9n, 1n), access(8n, 2n, 4n), turn(9n, 1n), access(8n, 3n, 4n)],
      ...[turn(9n, 0n), ...Array.from({ length: BLOCK_ACCESSES + 1 }, () => access(4096n, 1n, 1n))],
    ];
    const window = new Int32Array(words(...inTurns).buffer);
    const blocks: string[] = [];
    for (let at = 0; at < window.length;) {
      at = stream.feedWindow(window, at, window.length);
      const { process, thread, length, kinds } = stream.block;
      blocks.push(`process ${process} thread ${thread}: ${length}, ${kinds[LOAD]} loads`);
      stream.block.clear();
    }
    expect(blocks).toEqual([
      'process 0 thread 0: 2, 2 loads',
      'process 1 thread 1: 2, 0 loads',
      `process 1 thread 0: ${BLOCK_ACCESSES}, ${BLOCK_ACCESSES} loads`,
      'process 1 thread 0: 1, 1 loads',
    ]);
  });

  it('leaves out accesses of windows whose process or thread began as the recording ended', async () => {
    const stream = new QemuStream();
    await read([begin(7, '/bin/true')], stream);
    const turn = (place: bigint, thread: bigint): bigint => place | (thread << 32n);
    const inTurns = [
      ...[turn(8n, 0n), access(8n, 1n, 8n), access(16n, 1n, 8n)],
      ...[turn(7n, 1n), access(24n, 1n, 8n)],
      ...[turn(7n, 0n), access(32n, 1n, 8n)],
    ];
    const window = new Int32Array(words(...inTurns).buffer);
    expect(stream.feedWindow(window, 0, window.length)).toBe(window.length);
    const { process, thread, length } = stream.block;
    expect([process, thread, length]).toEqual([0, 0, 1]);
  });

  it('adds up what threads counted, and knows who never ended', async () => {
    const stream = new QemuStream();
    await read(
      [
        begin(1, '/bin/true'),
        begin(300, '/bin/cat'),
        threadBegin(1, 1n, 71n),
        frame(THREAD, 1, thread(0n, 10n, 25n, 'main')),
        frame(THREAD, 1, thread(1n, 2n ** 40n, 5n, 'worker')),
        frame(END, 1, words()),
      ],
      stream,
    );
    expect(stream.processes).toMatchObject([
      { accesses: 2 ** 40 + 10, instructions: 30, ended: true },
      { ended: false },
    ]);
    expect(stream.processes[0].threads).toEqual([
      { tid: 70, name: 'main', accesses: 10 },
      { tid: 71, name: 'worker', accesses: 2 ** 40 },
    ]);
  });

  it('adds up what a thread counted before and after its process tried to replace its program', async () => {
    const stream = new QemuStream();
    const frames = [frame(THREAD, 1, thread(0n, 10n, 25n, 'main')), frame(END, 1, words())];
    await read([begin(1, '/bin/true'), ...frames, ...frames], stream);
    expect(stream.processes).toMatchObject([
      { accesses: 20, instructions: 50, ended: true, threads: [{ tid: 70, name: 'main', accesses: 20 }] },
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
    ['a type that is none', frame(10, 1, new Uint8Array(0)), 'expected a type of frame from 1 to 9, found 10'],
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
