import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBigInt } from '../../../../hw/base/address.js';
import { FETCH, LOAD, MODIFY, STORE } from '../../../../src/trace/block.js';
import { QemuStream, qemuBlocks } from '../../../../src/trace/readers/qemu-stream.js';

const [BEGIN, FORKED, ACCESSES, END, AWAY] = [1, 2, 3, 4, 5];

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

/** Everything that a stream makes of chunks, as `[address, kind, size]`. */
async function read(chunks: Uint8Array[], stream = new QemuStream()): Promise<[bigint, number, number][]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  }
  const all: [bigint, number, number][] = [];
  for await (const block of qemuBlocks(source(), stream)) {
    for (let i = 0; i < block.length; i++) {
      const address = toBigInt(block.addressHi(i), block.addressLo(i));
      all.push([address, block.kind(i), block.size(i)]);
    }
  }
  return all;
}

describe('QemuStream', () => {
  it('reads the four kinds, their sizes, and addresses of both halves', async () => {
    const payload = words(
      access(0x401000n, 0n, 15n),
      access(0x7fff_ffff_fff8n, 1n, 8n),
      access(0x8000_0010n, 2n, 1n),
      access(0xffff_ffff_ff60_0000n, 3n, 32n),
    );
    expect(await read([frame(ACCESSES, 7, payload)])).toEqual([
      [0x401000n, FETCH, 15],
      [0x7fff_ffff_fff8n, LOAD, 8],
      [0x8000_0010n, STORE, 1],
      [0xffff_ffff_ff60_0000n, MODIFY, 32],
    ]);
  });

  it('counts a child once whether it replaces its program or not, and each further program', async () => {
    const stream = new QemuStream();
    const none = new Uint8Array(0);
    await read(
      [
        frame(BEGIN, 1, text('/bin/sh')),
        frame(FORKED, 2, text('/bin/sh')),
        frame(FORKED, 3, text('/bin/sh')),
        frame(BEGIN, 3, text('/bin/ls')),
        frame(BEGIN, 1, text('/bin/wc')),
        frame(ACCESSES, 1, none),
      ],
      stream,
    );
    expect(stream.processes).toBe(4);
  });

  it('adds up what processes counted, and says who never did', async () => {
    const stream = new QemuStream();
    const begins = [1, 2, 300].map((process) => frame(BEGIN, process, text('/bin/true')));
    await read([...begins, frame(END, 1, words(10n, 25n, 1n)), frame(END, 300, words(2n ** 40n, 5n, 3n))], stream);
    expect(stream.counted).toEqual({ accesses: 2 ** 40 + 10, instructions: 30 });
    expect(stream.unended).toBe(1);
  });

  it('names programs that left', async () => {
    const stream = new QemuStream();
    await read([frame(AWAY, 1, text('/usr/bin/sudo'))], stream);
    expect(stream.unseen).toEqual(['/usr/bin/sudo']);
  });

  it('reads the same however the bytes are cut, more than a block of them too', async () => {
    const full = frame(ACCESSES, 1, words(...Array.from({ length: 510 }, (_, i) => access(BigInt(4096 * i), 1n, 8n))));
    const bytes = new Uint8Array(Array.from({ length: 40 }, () => [...full]).flat());
    const whole = await read([bytes]);
    expect(whole).toHaveLength(40 * 510);
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
    ['a frame that is cut', frame(BEGIN, 1, text('/bin/true')).subarray(0, 20), 'byte 0: expected the rest of a frame'],
    ['a type that is none', frame(9, 1, new Uint8Array(0)), 'expected a type of frame from 1 to 5, found 9'],
    ['more than a frame holds', frame(ACCESSES, 1, new Uint8Array(5000)), 'expected at most 4080 bytes'],
    ['an access of no bytes', frame(ACCESSES, 1, words(access(16n, 1n, 0n))), 'expected an access of 1 to 63 bytes'],
  ])('refuses %s, naming the place', async (_, bytes, message) => {
    await expect(read([bytes])).rejects.toThrow(message);
  });
});
