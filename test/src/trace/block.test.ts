import { expect, test } from 'vitest';
import { AccessBlock, dropFetches, FETCH, LOAD, MODIFY, STORE, windowOf } from '../../../src/trace/block.js';
import { READ, USER } from '../../../hw/base/access.js';
import * as exported from '../../../src/index.js';
import { blocksOf, collect } from './blocks.js';

const ACCESSES = [FETCH, LOAD, FETCH, STORE, MODIFY, MODIFY].map((kind, i) => ({ kind, address: BigInt(i), size: 8 }));

function blockOf(): AccessBlock {
  const block = new AccessBlock();
  for (const { kind, address, size } of ACCESSES) block.push(kind, 0, Number(address), size);
  return block;
}

test('a block counts its accesses by kind: fetches, loads, stores, load-modify-stores', () => {
  const block = blockOf();
  expect([LOAD, STORE, FETCH, MODIFY].map((kind) => block.kinds[kind])).toEqual([1, 1, 2, 2]);
  block.clear();
  expect([block.length, ...block.kinds]).toEqual([0, 0, 0, 0, 0]);
});

test('what is kept of a block is counted anew', () => {
  const block = blockOf();
  block.keep(1, 5);
  expect([block.length, ...block.kinds]).toEqual([4, 1, 1, 1, 1]);
  expect([0, 1, 2, 3].map((i) => block.addressLo(i))).toEqual([1, 2, 3, 4]);
});

test('fetches that are dropped are no longer counted, and the rest closes up', () => {
  const block = blockOf();
  dropFetches(block);
  expect([block.length, ...block.kinds]).toEqual([4, 1, 1, 0, 2]);
  expect([0, 1, 2, 3].map((i) => block.addressLo(i))).toEqual([1, 3, 4, 5]);
});

test('kinds are what the hardware calls them, and the package exports', () => {
  expect([LOAD, STORE, FETCH]).toEqual([exported.READ, exported.WRITE, exported.FETCH]);
  const block = new AccessBlock();
  block.push(exported.FETCH, 0, 0x40_1000, 8);
  expect([block.kind(0), block.size(0), block.kinds[exported.FETCH]]).toEqual([exported.FETCH, 8, 1]);
});

test.each([
  [READ | USER, 8, /access kind 4 must be LOAD/],
  [-1, 8, /access kind -1/],
  [NaN, 8, /access kind NaN/],
  [LOAD, 0, /access size 0 must be a whole number of bytes from 1 to 4096/],
  [LOAD, 4097, /access size 4097/],
  [LOAD, 1.5, /access size 1.5/],
  [LOAD, NaN, /access size NaN/],
])('an access of kind %d and %d bytes is refused, and the block stays as it was', (kind, size, message) => {
  const block = new AccessBlock();
  expect(() => {
    block.push(kind, 0, 0, size);
  }).toThrow(message);
  expect([block.length, ...block.kinds]).toEqual([0, 0, 0, 0, 0]);
});

test('a window of blocks is that of their accesses', async () => {
  expect(await collect(windowOf(blocksOf(ACCESSES, 2), 1, 4))).toEqual(ACCESSES.slice(1, 5));
  expect(await collect(windowOf(blocksOf(ACCESSES, 2), 0, 0))).toEqual([]);
});
