import { expect, it } from 'vitest';
import { LABS } from '../../src/lab/labs.js';
import { runLab } from '../../src/lab/story.js';
import { describeView } from './browser.js';

/** Where the README's pictures go when they are to be made anew. */
const PICTURES = process.env.PAGEWALK_PICTURES;

describeView('labs', (open) => {
  it('tells every lab to its end, with the figures that it measures', async () => {
    const page = await open('#labs');
    for (const lab of LABS) {
      await page.selectOption('[data-field="lab"]', lab.name);
      const result = runLab(lab);
      for (let i = 1; i < result.steps.length; i++) await page.keyboard.press('n');
      expect(await page.locator('.steps li p:first-child').allInnerTexts()).toEqual(
        result.steps.map(({ text }) => text),
      );
      const keys = await page
        .locator('[data-figure]')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-figure')));
      expect(keys).toEqual(Object.keys(result.figures));
    }
  });

  it.each(['fork-cost', 'multics'])('shows the tables of %s in columns, as the terminal does', async (lab) => {
    const page = await open(`#labs?lab=${lab}`);
    const { steps } = runLab(LABS.find(({ name }) => name === lab)!);
    for (let i = 1; i < steps.length; i++) await page.keyboard.press('n');
    const lines = page.locator('.evidence code');
    expect(await lines.allTextContents()).toEqual(steps.flatMap(({ evidence }) => evidence));
    // Characters are equally wide: columns stand as they do in text when rows begin at one edge and keep their spaces.
    const rows = await page.locator('.evidence .columns').evaluateAll((found) =>
      found.map((row) => {
        const range = document.createRange();
        range.selectNodeContents(row);
        const { left, width } = range.getBoundingClientRect();
        return { left: Math.round(left), each: width / row.textContent.length };
      }),
    );
    expect(rows.length).toBeGreaterThan(3);
    expect(new Set(rows.map(({ left }) => left)).size).toBe(1);
    const [{ each }] = rows;
    for (const row of rows) expect(Math.abs(row.each - each)).toBeLessThan(0.01 * each);
  });

  it('fits a phone without scrolling sideways, its tables too', async () => {
    const page = await open('#labs?lab=fork-cost', { width: 390, height: 844 });
    await page.waitForSelector('.evidence .columns');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  it('shows no step before its time, and draws the arena with its pieces', async () => {
    const page = await open('#labs?lab=fragmentation');
    expect(await page.locator('.steps .later').count()).toBeGreaterThan(3);
    const { steps } = runLab(LABS.find(({ name }) => name === 'fragmentation')!);
    const drawn = steps.findIndex(({ arena }) => arena !== undefined);
    for (let i = 0; i < drawn; i++) await page.click('[data-do="step"]');
    expect(await page.locator('.arena rect').count()).toBe(steps[drawn].arena?.pieces.length);
  });

  it('is told by keyboard alone: views, theme, help', async () => {
    const page = await open('#labs');
    await page.keyboard.press('2');
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
  ])('has a picture of %s for the README', async (name, link) => {
    const page = await open(link);
    const path = PICTURES === undefined ? {} : { path: `${PICTURES}/${name}.png` };
    const picture = await page.screenshot(path);
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
  });
});
