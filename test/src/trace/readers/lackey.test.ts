import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FETCH, LOAD, MODIFY, STORE } from '../../../../src/trace/block.js';
import { lackeyBlocks, LackeyParser } from '../../../../src/trace/readers/lackey.js';
import { TraceError } from '../../../../src/trace/trace-error.js';
import { anyAccess, collect, lackeyText, type Access } from '../blocks.js';

/** Feeds text in pieces of the lengths given, over and over. */
async function* pieces(text: string, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length];
    yield await Promise.resolve(bytes.subarray(at, at + length));
    at += length;
  }
}

function parse(text: string, lenient = false, lengths: readonly number[] = [1 << 20]): Promise<Access[]> {
  return collect(lackeyBlocks(pieces(text, lengths), new LackeyParser({ source: 'test.txt', lenient })));
}

describe('lackey text', () => {
  it('gives kind, address and size of each of the four lines', async () => {
    const text = 'I  04001000,3\n L 1ffefff8f0,8\n S 1ffefff8e8,16\n M 0421c7cc,4\n';
    expect(await parse(text)).toEqual([
      { kind: FETCH, address: 0x04001000n, size: 3 },
      { kind: LOAD, address: 0x1ffefff8f0n, size: 8 },
      { kind: STORE, address: 0x1ffefff8e8n, size: 16 },
      { kind: MODIFY, address: 0x0421c7ccn, size: 4 },
    ]);
  });

  it("passes over valgrind's own lines, of any length", async () => {
    const text = `==47== Lackey\n L 10,1\n--47-- ${'x'.repeat(500)}\n**47** printed\n==00:00:00:01.5 47== end\n L 20,1\n`;
    expect((await parse(text)).map(({ address }) => address)).toEqual([0x10n, 0x20n]);
  });

  it('accepts Windows line ends, empty lines and a last line without its end', async () => {
    expect((await parse('\r\n\n L 10,1\r\n L 20,1')).map(({ address }) => address)).toEqual([0x10n, 0x20n]);
  });

  it('reads addresses of all 64 bits', async () => {
    expect(await parse(' L ffffffffffffffff,1\n S 8000000000000000,8\n')).toEqual([
      { kind: LOAD, address: 2n ** 64n - 1n, size: 1 },
      { kind: STORE, address: 2n ** 63n, size: 8 },
    ]);
  });

  it('gives back any accesses, wherever the text is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyAccess, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 }),
        async (accesses, lengths) => {
          expect(await parse(lackeyText(accesses), false, lengths)).toEqual(accesses);
        },
      ),
    );
  });

  it('gives back more accesses than one block holds, wherever the text is cut', async () => {
    const accesses = Array.from({ length: 40_000 }, (_, i) => ({ kind: LOAD, address: BigInt(i * 8), size: 8 }));
    expect(await parse(lackeyText(accesses), false, [65536, 14, 1])).toEqual(accesses);
  });

  it.each([
    ['a size of 0', ' L 10,0', 'size from 1 to 4096'],
    ['a size too large', ' L 10,4097', 'size from 1 to 4096'],
    ['a size with many digits', ' L 10,99999999999999999999', 'size from 1 to 4096'],
    ['no size', ' L 10,', 'decimal size'],
    ['no comma', ' L 10', "','"],
    ['no address', ' L ,8', 'hexadecimal address'],
    ['an address beyond 64 bits', ' L 10000000000000000,8', '16 hexadecimal digits'],
    ['an address that is not hexadecimal', ' L 10g0,8', "','"],
    ['an access that wraps', ' L fffffffffffffffc,8', 'below 2^64'],
    ['an unknown kind', ' X 10,8', 'lackey access'],
    ['a missing blank', 'L 10,8', 'lackey access'],
    ['words behind the size', ' L 10,8 hello', 'end after the size'],
    ["the program's own output", 'hello world', 'lackey access'],
    ['a very long line', `x${'y'.repeat(100_000)}`, 'lackey access'],
    ['a line of marks', '=====', 'lackey access'],
  ])('refuses %s, naming the line', async (_, line, expected) => {
    const error = await parse(` L 10,8\n${line}\n L 20,8\n`).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TraceError);
    expect((error as TraceError).message).toContain('test.txt: line 2: expected');
    expect((error as TraceError).message).toContain(expected);
    expect((error as TraceError).message.length).toBeLessThan(200);
  });

  it('refuses a last line that was cut', async () => {
    await expect(parse(' L 10,8\n S 1ffef')).rejects.toThrow('test.txt: line 2: expected');
  });

  it('skips and counts malformed lines when lenient', async () => {
    const parser = new LackeyParser({ source: 'test.txt', lenient: true });
    const text = `nonsense\n L 10,8\n L 10,0\n${'z'.repeat(300)}\n==1== fine\n S 20,8\n L 1`;
    const accesses = await collect(lackeyBlocks(pieces(text, [7]), parser));
    expect(accesses.map(({ address }) => address)).toEqual([0x10n, 0x20n]);
    expect(parser.skippedLines).toBe(4);
  });

  it('never hangs or fails other than with a TraceError, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...' LSMI=-0af,8\r\n'.split('')) }), async (text) => {
        const outcome = await parse(text, false, [5]).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || outcome instanceof TraceError).toBe(true);
      }),
    );
  });
});
