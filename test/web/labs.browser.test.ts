import { expect, it } from 'vitest';
import { LABS } from '../../src/lab/labs.js';
import { runLab } from '../../src/lab/story.js';
import type { LabResult } from '../../src/report/results/lab-result.js';
import { describeView, press } from './browser.js';

/** Where the README's pictures go when they are to be made anew. */
const PICTURES = process.env.PAGEWALK_PICTURES;

const results = new Map<string, LabResult>();

/** What a lab tells; it is run once for all tests. */
function told(name: string): LabResult {
  const result = results.get(name) ?? runLab(LABS.find((lab) => lab.name === name)!);
  results.set(name, result);
  return result;
}

describeView('labs', (open) => {
  it('tells every lab to its end, with the figures that it measures', async () => {
    const page = await open('#labs');
    for (const { name } of LABS) {
      // Its end by a link: to press a key for each step draws each.
      await page.evaluate((hash) => (location.hash = hash), `#labs?lab=${name}&at=20.1`);
      await page.waitForFunction(
        (lab) => document.querySelector<HTMLSelectElement>('[data-field="lab"]')?.value === lab,
        name,
      );
      const shown = await page.evaluate(() => ({
        steps: [...document.querySelectorAll('.steps li p:first-child')].map((step) => step.textContent),
        figures: [...document.querySelectorAll('[data-figure]')].map((row) => row.getAttribute('data-figure')),
        waiting: document.querySelectorAll('.later').length,
      }));
      expect([name, shown.waiting]).toEqual([name, 0]);
      const { steps, figures } = told(name);
      expect(shown.steps).toEqual(steps.map(({ text }) => text));
      expect(shown.figures).toEqual(Object.keys(figures));
    }
  });

  it.each(['fork-cost', 'editors', 'multics', 'partial'])(
    'shows the table of %s in columns, with bars from one edge',
    async (lab) => {
      const page = await open(`#labs?lab=${lab}`);
      const { steps } = told(lab);
      await press(page, 'n', steps.length - 1);
      const table = steps.find((step) => step.table !== undefined)!.table!;
      const lines = await page
        .locator('.sheet')
        .first()
        .locator('.line')
        .evaluateAll((rows) =>
          rows.map((row) =>
            [...row.querySelectorAll('.cell')].map((cell) => {
              const { left, right } = cell.getBoundingClientRect();
              return { text: cell.textContent, left: Math.round(left), right: Math.round(right) };
            }),
          ),
        );
      const cells = lines.map((line) => line.slice(0, table.head.length));
      expect(cells.map((line) => line.map(({ text }) => text))).toEqual([table.head, ...table.rows]);
      for (const line of cells) {
        expect(line.map(({ left, right }) => [left, right])).toEqual(cells[0].map(({ left, right }) => [left, right]));
      }
      const bars = await page
        .locator('.sheet')
        .first()
        .locator('rect')
        .evaluateAll((found) =>
          found.map((rect) => ({
            left: Math.round(rect.getBoundingClientRect().left),
            width: Number(rect.getAttribute('width')),
          })),
        );
      expect(new Set(bars.map(({ left }) => left)).size).toBeLessThanOrEqual(1);
      const lengths = table.bars ?? [];
      expect(bars.map(({ width }) => width)).toEqual(lengths.map((one) => (one / Math.max(...lengths)) * 120));
    },
  );

  it('says in the column of the chapter what the chapter says, and why the machine does otherwise', async () => {
    const page = await open('#labs?lab=editors');
    const row = page.locator('[data-figure="limitOfCode"]');
    expect(await row.locator('td').nth(1).innerText()).toBe('524288');
    const { steps } = told('editors');
    await press(page, 'n', steps.length - 1);
    expect(await row.locator('td').first().innerText()).toBe('524,287');
    expect(await row.locator('td').nth(1).innerText()).toMatch(/524288 ≠\s*the chapter gives the size/);
    expect(await row.locator('[title]').getAttribute('title')).toContain('.limit = 524288');
    expect(await page.locator('.workload').innerText()).toContain('Two editors');
  });

  it('fits a phone without scrolling sideways, its tables too', async () => {
    const page = await open('#labs?lab=fork-cost', { width: 390, height: 844 });
    await page.waitForSelector('.sheet');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  it('shows no step before its time, and draws the arena with its pieces', async () => {
    const page = await open('#labs?lab=mistakes&at=8.1');
    expect(await page.locator('.steps .later').count()).toBe(4);
    const { steps } = told('mistakes');
    const drawn = steps.findIndex(({ arena }) => arena !== undefined);
    expect(await page.locator('.arena').count()).toBe(0);
    await page.click('[data-do="step"]');
    expect(await page.locator('.latest .arena rect').count()).toBe(steps[drawn].arena?.pieces.length);
  });

  it('draws growth as a line for each series, straight where the lab says so', async () => {
    const page = await open('#labs?lab=fork-cost&at=2.1');
    const { series } = told('fork-cost').steps[1].lines!;
    const lines = await page.locator('.latest polyline').evaluateAll((found) =>
      found.map((line) =>
        line
          .getAttribute('points')!
          .split(' ')
          .map((one) => one.split(',').map(Number)),
      ),
    );
    expect(lines.map((points) => points.length)).toEqual(series.map(({ points }) => points.length));
    for (const points of lines) {
      const [[x1, y1], [x2, y2]] = [points[0], points.at(-1)!];
      for (const [x, y] of points) expect(Math.abs(y - (y1 + ((x - x1) * (y2 - y1)) / (x2 - x1)))).toBeLessThan(0.5);
    }
  });

  it('draws who has which memory, and shows the figures of each step beside it', async () => {
    const page = await open('#labs?lab=fork&at=2.1');
    const { mappings = [] } = told('fork').steps[1];
    expect(mappings.map(({ who, rights }) => [who, rights])).toEqual([
      ['parent', 'read-only'],
      ['child', 'read-only'],
    ]);
    const { latest, waiting } = await page.evaluate(() => ({
      latest: [...document.querySelectorAll('.latest .mappings :is(.owner, .place) .title')].map(
        (one) => one.textContent,
      ),
      waiting: [...document.querySelectorAll('.later [data-figure] td:nth-child(2)')].map((one) => one.textContent),
    }));
    expect(latest).toEqual(['parent', 'child', mappings[0].to]);
    expect(new Set(waiting)).toEqual(new Set(['…']));
    const box = async (selector: string): Promise<DOMRect> =>
      page.locator(selector).evaluate((one) => one.getBoundingClientRect());
    const [story, figures] = [await box('.latest .mappings'), await box('.latest .standards')];
    expect(figures.left).toBeGreaterThan(story.right - 1);
    expect(figures.top).toBeLessThan(story.bottom);
  });

  it('is told by keyboard alone: views, theme, help', async () => {
    const page = await open('#labs');
    await page.keyboard.press('3');
    expect(await page.locator('main').getAttribute('data-view')).toBe('share');
    await page.keyboard.press('?');
    expect(await page.locator('.keys').innerText()).toContain('one step back');
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await page.keyboard.press('t');
    expect(await background()).not.toBe(light);
  });

  it.each([
    ['translate', '#translate?do=flush+write.user.0x602000&at=2.9'],
    ['share', '#share?at=8.1'],
    ['compare', '#compare'],
  ])('has a picture of %s for the README', async (name, link) => {
    const page = await open(link);
    if (name === 'compare') await page.waitForSelector('svg.plot');
    const path = PICTURES === undefined ? {} : { path: `${PICTURES}/${name}.png` };
    const picture = await page.screenshot(path);
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
  });
});
