import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pageNumber, SHIFT_4K } from '../../../../hw/base/address.js';
import { openTrace } from '../../../../src/trace/node/open.js';
import type { RecordedTrace } from '../../../../src/trace/recorded.js';
import { shippedTraces } from '../../../../src/trace/node/shipped.js';

/** How many 4 KiB pages a trace touches; a small filter keeps most accesses from the set. */
async function pagesOf(trace: RecordedTrace): Promise<number> {
  const pages = new Set<number>();
  const recent = new Float64Array(4096).fill(-1);
  for await (const block of trace) {
    for (let i = 0; i < block.length; i++) {
      const page = pageNumber(block.addressHi(i), block.addressLo(i), SHIFT_4K);
      if (recent[page % recent.length] === page) continue;
      recent[page % recent.length] = page;
      pages.add(page);
    }
  }
  return pages.size;
}

describe('the traces that come with pagewalk', async () => {
  const readings = await Promise.all(
    shippedTraces().map(async ({ name, path }) => {
      const trace = openTrace(path);
      const pages = await pagesOf(trace);
      return { name, bytes: statSync(path).size, pages, counts: trace.counts, metadata: trace.metadata! };
    }),
  );

  it.each(readings)(
    '$name is a recording of enough accesses in few enough bytes',
    ({ name, bytes, counts, metadata }) => {
      expect(counts.accesses).toBeGreaterThanOrEqual(5_000_000);
      expect(counts.fetches + counts.droppedFetches).toBe(0);
      expect(metadata.tool).toMatch(/^valgrind-.* lackey$/);
      expect(metadata.command[0]).toContain(name);
      expect(bytes).toBeLessThanOrEqual(3_000_000);
    },
  );

  it('differ in footprint by ten times or more', () => {
    const [large, small] = readings;
    expect(large.pages).toBeGreaterThan(10 * small.pages);
  });

  it.each(readings)('$name was recorded by the command that the README gives', ({ metadata }) => {
    const readme = readFileSync(new URL('../../../../src/trace/shipped/README.md', import.meta.url), 'utf8');
    const { command, skip, limit } = metadata;
    const shown = `--skip ${skip / 1e6}M --limit ${limit! / 1e6}M -- ${command.slice(0, -1).join(' ')} `;
    expect(readme).toContain(shown);
    expect(readme).toContain(command.at(-1)!);
  });
});
