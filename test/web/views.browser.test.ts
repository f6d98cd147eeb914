import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { TOY_PRESETS } from '../../src/explain/toy/toy-presets.js';
import { LABS } from '../../src/lab/labs.js';
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
/** `npm test` has every second one. The long run has each lab's end, each toy, and the steps of the tours, too. */
const MORE = [
  ...LABS.map(({ name }) => `#labs?lab=${name}&at=20.1`),
  ...Object.keys(TOY_PRESETS).map((preset) => `#translate?machine=toy&preset=${preset}`),
  ...['translate', 'segment', 'share', 'tlb'].flatMap((view) => [2, 4, 6, 8].map((at) => `#${view}?at=${at}.2`)),
  ...['riscv', 'aarch64', 'nested'].map((machine) => `#translate?machine=${machine}&at=1.3`),
  ...['paging', 'segmentation', 'cow', 'allocation', 'machines'].map((topic) => `#exercises?topic=${topic}`),
];
const LOOKS = [390, 1280, 1920].flatMap((width) => (['light', 'dark'] as const).map((theme) => ({ width, theme })));

/** Names that several controls of one kind have: who hears the page could not tell them apart. */
function twins(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const controls = [...document.querySelectorAll<HTMLElement>('button, a[href], input, select, summary')];
    const seen = controls.filter((one) => one.getBoundingClientRect().width > 0);
    const names = seen.map((one) => {
      const labels = one instanceof HTMLInputElement || one instanceof HTMLSelectElement ? one.labels : null;
      const named = (labels?.[0] ?? one).cloneNode(true) as HTMLElement;
      for (const control of named.querySelectorAll('select, input')) control.remove();
      const name = one.getAttribute('aria-label') ?? named.textContent;
      return `${one.tagName.toLowerCase()}: ${name.replaceAll(/\s+/g, ' ').trim()}`;
    });
    return names.filter((name, i) => names.indexOf(name) !== i);
  });
}

/** The rules broken, each with the elements that break it. */
async function broken(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

/** Each view, and whether it has a tour. */
const VIEWS: Readonly<Record<string, boolean>> = {
  translate: true,
  segment: true,
  share: true,
  tlb: true,
  labs: false,
  exercises: false,
  compare: false,
};

/** A view opened, stepped to the second event of its tour, measured, and exported. */
interface Walked {
  readonly tour: string | undefined;
  /** Heights at which the header has buttons. */
  readonly lines: number;
  readonly width: number;
  readonly file: string;
  readonly svg: string;
}

/** All within the page: each question from outside would cost more than its answer. */
function walkView(page: Page, view: string, hasTour: boolean): Promise<Walked> {
  return page.evaluate(
    async ({ name, tours }) => {
      const until = async (holds: () => unknown): Promise<void> => {
        while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];
      location.hash = `#${name}`;
      await until(() => document.querySelector(`main[data-view="${name}"]`));
      if (name === 'compare') await until(() => document.querySelector('svg.plot'));
      const press = (key: string): boolean => dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true }));
      if (tours) document.querySelector<HTMLElement>('[data-do="tour"]')!.click();
      for (let i = 0; tours && i < 40 && all('.places .done').length < 2; i++) press('n');
      const boxes = all('header :is(button, select)').map((one) => one.getBoundingClientRect());
      const tops = boxes.filter(({ width }) => width > 0).map(({ top }) => Math.round(top));
      const saved: { file: string; blob: Blob }[] = [];
      let made = new Blob();
      URL.createObjectURL = (blob: Blob) => {
        made = blob;
        return 'blob:';
      };
      HTMLAnchorElement.prototype.click = function () {
        saved.push({ file: this.download, blob: made });
      };
      press('e');
      await until(() => saved.length > 0);
      return {
        tour: document.querySelector<HTMLElement>('.tour p')?.innerText,
        lines: new Set(tops).size,
        width: document.documentElement.scrollWidth,
        file: saved[0].file,
        svg: await saved[0].blob.text(),
      };
    },
    { name: view, tours: hasTour },
  );
}

describeView('each', (open) => {
  it.each([390, 1280, 1920])('is walked at %i px: header, tour, width and export', async (width) => {
    const page = await open('', { width, height: 900 });
    // The page's own policy forbids the styles of a drawing, which is a file.
    const elsewhere = await page.context().newPage();
    for (const [name, hasTour] of Object.entries(VIEWS)) {
      const walked = await walkView(page, name, hasTour);
      expect([name, walked.lines, walked.width, walked.file]).toEqual([name, 1, width, `pagewalk-${name}.svg`]);
      if (hasTour) expect([name, walked.tour]).toEqual([name, expect.stringMatching(/^Event 2 of \d+ of the tour\.$/)]);
      const parsed = await elsewhere.evaluate((text) => {
        const found = new DOMParser().parseFromString(text, 'image/svg+xml');
        return [
          found.querySelector('parsererror')?.textContent,
          found.querySelector('main')?.getAttribute('data-view'),
        ];
      }, walked.svg);
      expect(parsed).toEqual([undefined, name]);
    }
    await elsewhere.close();
  });

  // Each state has one look in turn; the long run gives it more.
  it.each(runs(1) === 1 ? LINKS.filter((_, i) => i % 2 === 0) : [...LINKS, ...MORE])(
    'axe finds nothing in %s',
    async (link) => {
      const at = Math.max(0, LINKS.indexOf(link));
      const page = await open(link);
      await page.evaluate(() => {
        // Folded parts have controls, too.
        for (const part of document.querySelectorAll('details')) part.open = true;
        for (const button of document.querySelectorAll<HTMLElement>('[data-do="answer"], .fold')) button.click();
      });
      if (link === '#compare') await page.waitForSelector('svg.plot');
      const looks = Array.from({ length: Math.min(LOOKS.length, runs(1)) }, (_, n) => LOOKS[(at + n) % LOOKS.length]);
      for (const { width, theme } of looks) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: theme });
        expect([width, theme, ...(await broken(page))]).toEqual([width, theme]);
      }
      expect(await twins(page)).toEqual([]);
    },
  );
});
