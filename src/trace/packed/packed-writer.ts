/** Writes a packed trace; `packed-format.ts` is the specification. */

import { realpathSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { deflateRawSync } from 'node:zlib';
import { AccessTally, type AccessBlock, type TraceCounts } from '../block.js';
import { partialOf, sweepPartials } from '../node/leftovers.js';
import type { TraceMetadata } from './metadata.js';
import { PackedEncoder } from './packed-encoder.js';
import {
  BLOCK_HEAD_BYTES,
  BLOCK_TAG,
  CRC_BYTES,
  crc32,
  END_BYTES,
  END_TAG,
  HEADER_BYTES,
  MAGIC,
  VERSION,
} from './packed-format.js';
import { TraceError } from '../trace-error.js';

/**
 * Writes the accesses of `blocks` to `path` whole or not at all: into a file beside it; at the end it takes the name. A
 * path to no regular file, such as a pipe, is written straight away.
 *
 * @param metadata all known when the first access comes
 * @param whole the metadata once all accesses went by; a pipe keeps the first, since nothing written to it can change
 * @returns how many accesses of each kind were written.
 * @throws TraceError when there are no accesses; the file system's error; and the errors of `blocks`. A begun file is
 *   removed.
 */
export async function writePacked(
  path: string,
  blocks: AsyncIterable<AccessBlock>,
  metadata: TraceMetadata,
  whole = (): TraceMetadata => metadata,
): Promise<TraceCounts> {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isFile()) return writeTo(path, path, blocks, metadata, whole);
  // A symbolic link stays one: the file named by it is replaced.
  const target = existing === undefined ? path : realpathSync(path);
  const partial = partialOf(target);
  await sweepPartials(target);
  try {
    const counts = await writeTo(partial, path, blocks, metadata, whole);
    await rename(partial, target);
    return counts;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function writeTo(
  path: string,
  name: string,
  blocks: AsyncIterable<AccessBlock>,
  metadata: TraceMetadata,
  whole: () => TraceMetadata,
): Promise<TraceCounts> {
  const file = await open(path, 'w');
  try {
    const tally = new AccessTally();
    const encoder = new PackedEncoder();
    const head = headerRecord(metadata);
    await file.writeFile(head);
    for await (const block of blocks) {
      tally.add(block);
      for (let at = encoder.add(block, 0); at < block.length; at = encoder.add(block, at)) {
        await file.writeFile(blockRecord(encoder));
      }
    }
    if (tally.accesses === 0) throw new TraceError(name, 'byte 0', 'there are no accesses to write');
    if (encoder.accesses > 0) await file.writeFile(blockRecord(encoder));
    await file.writeFile(endRecord(tally));
    if ((await file.stat()).isFile()) {
      const final = headerRecord(whole(), head.length);
      await file.write(final, 0, final.length, 0);
      await file.sync();
    }
    return tally.snapshot();
  } finally {
    await file.close();
  }
}

/** Room in the metadata for facts known only at the end: JSON may end in spaces. */
const ROOM = 128;

/** @param length bytes of the record to be replaced by this one; absent for the first, which has {@link ROOM} */
function headerRecord(metadata: TraceMetadata, length?: number): Buffer {
  const text = Buffer.from(JSON.stringify(metadata));
  const json = Buffer.alloc(length === undefined ? text.length + ROOM : length - HEADER_BYTES - CRC_BYTES, ' ');
  if (text.length > json.length) throw new RangeError(`the metadata grew by more than ${ROOM} bytes`);
  json.set(text);
  const head = Buffer.alloc(HEADER_BYTES);
  head.set(MAGIC);
  head.writeUInt8(VERSION, 4);
  head.writeUInt32LE(json.length, 5);
  return withCrc([head, json]);
}

/** Level 9 takes 7 times as long on a recording of gcc, and the file is 4 % smaller: recording would mostly wait for it. */
const LEVEL = 6;

function blockRecord(encoder: PackedEncoder): Buffer {
  const head = Buffer.alloc(BLOCK_HEAD_BYTES);
  head.writeUInt8(BLOCK_TAG, 0);
  head.writeUInt32LE(encoder.accesses, 1);
  const columns = encoder.take().map((raw, column) => {
    const packed = deflateRawSync(raw, { level: LEVEL, memLevel: 9 });
    head.writeUInt32LE(raw.length, 5 + 8 * column);
    head.writeUInt32LE(packed.length, 9 + 8 * column);
    return packed;
  });
  return withCrc([head, ...columns]);
}

function endRecord(counts: TraceCounts): Buffer {
  const record = Buffer.alloc(END_BYTES - CRC_BYTES);
  record.writeUInt8(END_TAG, 0);
  for (const [kind, count] of [counts.fetches, counts.loads, counts.stores, counts.modifies].entries()) {
    record.writeBigUInt64LE(BigInt(count), 1 + 8 * kind);
  }
  return withCrc([record]);
}

function withCrc(parts: Buffer[]): Buffer {
  const record = Buffer.concat([...parts, Buffer.alloc(CRC_BYTES)]);
  record.writeUInt32LE(crc32(record.subarray(0, -CRC_BYTES)), record.length - CRC_BYTES);
  return record;
}
