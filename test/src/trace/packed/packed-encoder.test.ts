import { expect, test } from 'vitest';
import { AccessBlock, LOAD } from '../../../../src/trace/block.js';
import { PackedEncoder } from '../../../../src/trace/packed/packed-encoder.js';

test('each place of a program keeps its cursor, though its steps are long', () => {
  const block = new AccessBlock();
  const rounds = 50;
  const places = 20;
  // Loads of another size at each place; one is 64 MiB from the next.
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < places; place++) block.push(LOAD, 0, (place << 26) + round * 100_000, place + 1);
  }
  const encoder = new PackedEncoder();
  encoder.add(block, 0);
  const [, , differences] = encoder.take();
  // 100,000 takes three bytes, from one place to another four or five. It takes two rounds to know eight operations.
  expect(differences.length).toBeLessThanOrEqual(places * (3 * (rounds - 2) + 2 * 5));
});
