import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { CompareResult } from '../../src/report/results/compare-result.js';
import { formatCount } from '../../src/report/output/units.js';
import { shippedTraces } from '../../src/trace/node/shipped.js';
import { spawnCli } from '../src/cli/run-cli.js';
import { describeView } from './browser.js';

describeView('compare', (open) => {
  const notice = (page: Page): Promise<string> => page.locator('.notice').innerText();

  async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
    const data = await page.evaluateHandle(
      ({ file, content }) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(content)], file));
        return transfer;
      },
      { file: name, content: [...bytes] },
    );
    await page.dispatchEvent('main', 'drop', { dataTransfer: data });
  }

  it('opens on a finished comparison of a recording, drawn, with the answer in a sentence', async () => {
    const page = await open('#compare');
    await page.waitForSelector('svg.plot');
    expect(await page.locator('.result h2').innerText()).toMatch(
      /^With 2M pages sort on skylake would be [\d.]+ to [\d.]+ times as fast\.$/,
    );
    // README has the same comparison as the terminal prints it, and a test of its own holds it to that.
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const verdict = await page.locator('.result .verdict').innerText();
    expect(readme.replaceAll(/\s+/g, ' ')).toContain(`Verdict: ${verdict}`);
    const walks = await page.locator('.figures tr').nth(1).locator('td').allInnerTexts();
    const row = /│ page walks ([^\n]*)/.exec(readme)![1];
    expect(walks).toEqual(
      row
        .split('│')
        .map((cell) => cell.trim())
        .filter((cell) => cell !== ''),
    );
    expect(await page.locator('svg.plot').count()).toBe(4);
    expect(await page.locator('progress').count()).toBe(0);
  });

  it('finds in a worker what the library finds, and plots it', async () => {
    const page = await open('#compare?source=python');
    await page.click('[data-do="compare"]');
    await page.waitForSelector('svg.plot');
    const [path] = shippedTraces().flatMap(({ name, path: file }) => (name === 'python' ? [file] : []));
    // In a process of its own: what a comparison reserves stays for a while, and Linux then refuses this one a browser.
    const { stdout } = spawnCli(['compare', path, '--pages', '4K,2M', '--tlb', 'skylake', '--json']);
    const { runs } = CompareResult.parse(JSON.parse(stdout));
    const walks = await page.locator('.figures tr').nth(1).locator('td').allInnerTexts();
    expect(walks.slice(0, 2)).toEqual(runs.map(({ counts }) => formatCount(counts.walks)));
    expect(await page.locator('svg.plot').count()).toBe(4);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1280);
    expect(page.url()).toContain('run=1');
  });

  it('takes a dropped trace, gzipped too', async () => {
    const page = await open('#share');
    const lines = Array.from({ length: 40 }, (_, i) => ` L ${(0x40_0000 + i * 4096).toString(16)},8\n`).join('');
    await drop(page, 'mine.lackey.gz', gzipSync(lines));
    await page.waitForSelector('.result');
    expect(await page.locator('.result h2').innerText()).toContain('mine.lackey.gz on skylake');
    expect(await page.locator('.figures tr').nth(1).locator('td').first().innerText()).toBe('40');
    // All of it is one window, in pages of 4 KiB and of 2 MiB.
    expect(await page.locator('figure', { hasText: 'window by window' }).locator('.windows path').count()).toBe(2);
  });

  it('compares the page sizes and TLBs that are chosen, and the link says which, and asks for the dropped file', async () => {
    const page = await open('#compare');
    const line = Buffer.from(' L 400000,8\n');
    await drop(page, 'mine.lackey', line);
    await page.uncheck('[data-pages="1G"]');
    await page.uncheck('[data-pages="4K"]');
    expect(await page.locator('[data-pages="2M"]').isDisabled()).toBe(true);
    await page.click('[data-do="more-tlbs"]');
    await page.fill('[data-field="tlb2"]', '64x4');
    await page.click('[data-do="compare"]');
    await page.waitForSelector('[data-tlb="64x4"]');
    expect(await page.locator('.result').first().locator('th[scope="col"]').allInnerTexts()).toEqual(['2M pages']);
    const { hash } = new URL(page.url());
    expect(hash).toContain('tlb=skylake+64x4&pages=2M');
    expect(hash).toContain('file=mine.lackey');

    const copy = await open(hash);
    expect(await copy.locator('[data-missing]').innerText()).toContain('Open mine.lackey again');
    await copy.click('[data-do="compare"]');
    expect(await notice(copy)).toContain('open mine.lackey again first');
    await drop(copy, 'mine.lackey', line);
    await copy.waitForSelector('.result');
    expect(await copy.locator('[data-missing]').count()).toBe(0);
    expect(new URL(copy.url()).hash).toBe(hash);
  });

  it.each([
    ['a text', Buffer.from('dear diary\n'), 'notes.txt: line 1: expected a lackey access'],
    ['a zip', Buffer.from('PK\x03\x04 and so on'), 'found zip data; unpack it first'],
    ['a damaged gzip', gzipSync('L').subarray(0, 12), 'the gzip data is damaged or ends early'],
    ['nothing', Buffer.from(''), 'expected data accesses, found none'],
  ])('answers %s with a sentence, and goes on', async (_what, bytes, sentence) => {
    const page = await open('#compare');
    await drop(page, 'notes.txt', bytes);
    await page.waitForFunction(() => document.querySelector('.notice')?.textContent !== '');
    expect(await notice(page)).toContain(sentence);
    expect(await page.locator('[data-do="compare"]').isEnabled()).toBe(true);
  });

  it('refuses a file that is too large before reading it', async () => {
    const page = await open('#compare');
    await page.evaluate(() => {
      const file = new File(['x'], 'huge.lackey');
      Object.defineProperty(file, 'size', { value: 2 ** 31 });
      const transfer = { files: [file] };
      const event = new Event('drop', { bubbles: true, cancelable: true });
      document.body.dispatchEvent(Object.assign(event, { dataTransfer: transfer }));
    });
    expect(await notice(page)).toContain('huge.lackey has 2 GiB, and the page takes at most 512 MiB');
  });

  it('begins with the choice of a program, and can be cancelled', async () => {
    const page = await open('#compare');
    await page.waitForSelector('svg.plot');
    await page.selectOption('[data-field="source"]', 'python');
    expect(await page.locator('svg.plot').count()).toBe(0);
    await page.click('[data-do="cancel"]');
    expect(await notice(page)).toBe('Cancelled.');
    expect(await page.locator('progress').count()).toBe(0);
  });

  it('says which TLB shape cannot be', async () => {
    const page = await open('#compare');
    await page.fill('[data-field="tlb"]', '64x5');
    await page.click('[data-do="compare"]');
    expect(await notice(page)).toContain('ways 5 must be a whole number that divides');
  });
});
