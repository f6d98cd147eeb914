import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { runs } from '../runs.js';
import { describeView } from './browser.js';

/** Text that would run as a script if the page took it for markup, an address or code. */
const ATTACKS = [
  '<img src=x onerror=hit()>',
  '"><script>hit()</script>',
  '<svg onload=hit()>',
  'javascript:hit()',
  '${hit()}',
  '__proto__',
];

/** Every place of a link that holds text. */
const PLACES: readonly ((text: string) => string)[] = [
  (text) => `#${text}`,
  (text) => `#translate?mode=${text}`,
  (text) => `#translate?tlb=${text}`,
  (text) => `#translate?machine=toy&preset=${text}`,
  (text) => `#state=${text}`,
  (text) => `#state=${btoa(JSON.stringify({ schemaVersion: 1, machine: 'riscv', about: text, csrs: { satp: text } }))}`,
  (text) => `#translate?do=${text}`,
  (text) => `#translate?do=read.${text}`,
  (text) => `#translate?at=${text}`,
  (text) => `#translate?${text}=1`,
  (text) => `#share?scheme=${text}`,
  (text) => `#share?do=${text}`,
  (text) => `#labs?lab=${text}`,
  (text) => `#share?do=spawn&at=1.1&try=${text}`,
  (text) => `#exercises?topic=${text}`,
  (text) => `#exercises?seed=${text}`,
  (text) => `#exercises?${text}=1`,
  (text) => `#compare?source=${text}`,
  (text) => `#compare?tlb=${text}`,
  (text) => `#compare?pages=${text}`,
  (text) => `#compare?file=${text}`,
  (text) => `#compare?${text}=1`,
];

declare global {
  interface Window {
    damage: () => string[];
  }
}

/** What `damage()` of a watched page finds. */
function damage(page: Page): Promise<string[]> {
  return page.evaluate(() => window.damage());
}

/** The damage after each of these links. */
function damageBy(page: Page, links: readonly string[]): Promise<(readonly [string, string[]])[]> {
  return page.evaluate(async (hashes) => {
    const found: [string, string[]][] = [];
    for (const hash of hashes) {
      location.hash = hash;
      // The event comes later; this one is handled before the page is looked at.
      dispatchEvent(new HashChangeEvent('hashchange'));
      await new Promise((resolve) => setTimeout(resolve));
      found.push([hash, window.damage()]);
    }
    return found;
  }, links);
}

describeView('links', (open) => {
  async function watched(): Promise<Page> {
    const page = await open();
    await page.evaluate(() => {
      Object.assign(window, { hit: () => Object.assign(window, { reached: true }) });
      // Elements and attributes that the page itself never has, and whether a script of the text ran.
      window.damage = () => {
        const all = [...document.body.querySelectorAll('*')];
        const found = all.filter(
          (element) =>
            ['IMG', 'SCRIPT', 'IFRAME'].includes(element.tagName) ||
            element.getAttributeNames().some((name) => name.startsWith('on')) ||
            element.getAttribute('href')?.startsWith('javascript:'),
        );
        return [...found.map(({ outerHTML }) => outerHTML), ...('reached' in window ? ['a script ran'] : [])];
      };
    });
    return page;
  }

  it.each(runs(1) === 1 ? ATTACKS.filter((_, i) => i % 2 === 0) : ATTACKS)(
    'show %s as text in every place of a link, and run nothing',
    async (attack) => {
      const page = await watched();
      const clean = await damage(page);
      const links = PLACES.flatMap((place) => [attack, encodeURIComponent(attack)].map(place));
      expect(await damageBy(page, links)).toEqual(links.map((link) => [link, clean]));
      await page.evaluate(() => {
        location.hash = '#nowhere';
        dispatchEvent(new HashChangeEvent('hashchange'));
      });
      expect(await page.locator('.notice').innerText()).toContain('nowhere');
    },
  );

  it('show the name of a dropped file as text', async () => {
    const page = await watched();
    const name = `${ATTACKS[0]}.lackey.gz`;
    const bytes = [...gzipSync(' L 400000,8\n S 600000,4\n')];
    const data = await page.evaluateHandle(
      ({ file, content }) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(content)], file));
        return transfer;
      },
      { file: name, content: bytes },
    );
    await page.dispatchEvent('main', 'drop', { dataTransfer: data });
    await page.waitForSelector('.result');
    expect(await page.locator('.result h2').innerText()).toContain(ATTACKS[0]);
    expect(await damage(page)).toEqual([]);
  });
});
