import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { runs } from '../runs.js';
import { describeView } from './browser.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Every view, and states of it that look otherwise. */
const LINKS = [
  '#translate',
  '#translate?machine=nested',
  '#translate?machine=toy',
  '#translate?machine=aarch64&do=write.user.0x410000&at=1.9',
  '#segment?at=2.9',
  '#segment?at=11.9',
  '#share',
  '#share?scheme=segmentation',
  '#tlb',
  '#labs?at=20.1',
  '#labs?lab=fragmentation&at=20.1',
  '#compare',
  '#exercises?topic=toy',
];
const LOOKS = [390, 1280, 1920].flatMap((width) => (['light', 'dark'] as const).map((theme) => ({ width, theme })));

/** The rules broken, each with the elements that break it. */
async function broken(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

describeView('accessible', (open) => {
  // Each state has one look in turn; the long run gives it more.
  it.each(LINKS)('axe finds nothing in %s', async (link) => {
    const at = LINKS.indexOf(link);
    const page = await open(link);
    if (link === '#compare') await page.waitForSelector('svg.plot');
    const looks = Array.from({ length: Math.min(LOOKS.length, runs(1)) }, (_, n) => LOOKS[(at + n) % LOOKS.length]);
    for (const { width, theme } of looks) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: theme });
      expect([width, theme, ...(await broken(page))]).toEqual([width, theme]);
    }
  });
});
