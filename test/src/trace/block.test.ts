import { expect, test } from 'vitest';
import { AccessBlock, dropFetches, FETCH, LOAD, MODIFY, STORE, windowOf } from '../../../src/trace/block.js';
import { blocksOf, collect } from './blocks.js';

const ACCESSES = [FETCH, LOAD, FETCH, STORE, MODIFY, MODIFY].map((kind, i) => ({ kind, address: BigInt(i), size: 8 }));

function blockOf(): AccessBlock {
  const block = new AccessBlock();
  for (const { kind, address, size } of ACCESSES) block.push(kind, 0, Number(address), size);
  return block;
}

test('a block counts its accesses by kind: fetches, loads, stores, load-modify-stores', () => {
  const block = blockOf();
  expect([...block.kinds]).toEqual([2, 1, 1, 2]);
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
  expect([block.length, ...block.kinds]).toEqual([4, 0, 1, 1, 2]);
  expect([0, 1, 2, 3].map((i) => block.addressLo(i))).toEqual([1, 3, 4, 5]);
});

test('a window of blocks is that of their accesses', async () => {
  expect(await collect(windowOf(blocksOf(ACCESSES, 2), 1, 4))).toEqual(ACCESSES.slice(1, 5));
  expect(await collect(windowOf(blocksOf(ACCESSES, 2), 0, 0))).toEqual([]);
});
