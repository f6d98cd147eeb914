import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeView } from './browser.js';

describeView('share', (open) => {
  const count = async (page: Page, name: string): Promise<number> =>
    Number((await page.locator(`[data-count="${name}"] dd`).innerText()).replaceAll(',', '').split(' ')[0]);
  const row = (page: Page, pid: number, name: string): Promise<string> =>
    page.locator(`[data-pid="${pid}"] [data-row="${name}"] b`).innerText();

  it('forks, copies at the first write, and re-uses at the last', async () => {
    const page = await open('#share?do=spawn');
    await page.click('[data-do="write.1.data.0"]');
    await page.click('[data-do="fork.1"]');
    expect(await row(page, 1, 'data.0')).toBe('copy on write');
    expect(await row(page, 2, 'data.0')).toBe('copy on write');
    expect(await page.locator('.piece .count').allInnerTexts()).toEqual(['× 2']);
    await page.click('[data-do="write.2.data.0"]');
    expect([await count(page, 'copies'), await count(page, 'bytes copied')]).toEqual([1, 4096]);
    await page.click('[data-do="write.1.data.0"]');
    expect([await count(page, 'copies'), await count(page, 're-uses')]).toEqual([1, 1]);
    expect(await page.locator('.piece .count').allInnerTexts()).toEqual(['× 1', '× 1']);
  });

  it('tells the same story by segments, which copy the whole segment', async () => {
    const page = await open('#share?do=spawn write.1.data.0 fork.1 write.2.data.0');
    expect(await count(page, 'bytes copied')).toBe(4096);
    await page.selectOption('[data-field="scheme"]', 'segmentation');
    expect(await count(page, 'bytes copied')).toBe(12_288);
    expect(await row(page, 2, 'data.0')).toBe('writable');
  });

  it('draws one line for every entry that leads to memory', async () => {
    const page = await open('#share');
    const leads = await page.locator('[data-to]').count();
    expect(await page.locator('.links path').count()).toBe(leads);
    expect(leads).toBeGreaterThan(3);
  });

  it('has a map in place of lines on a narrow page', async () => {
    const page = await open('#share');
    for (const width of [390, 640, 820, 853, 959]) {
      await page.setViewportSize({ width, height: 844 });
      const shown = await page.evaluate(() => {
        const map = document.querySelector('.map')!;
        const { top: mapTop, bottom: mapBottom } = map.getBoundingClientRect();
        const buttons = [...document.querySelectorAll('main button')].map((one) => one.getBoundingClientRect());
        return {
          links: document.querySelector('.links')!.getBoundingClientRect().width,
          rects: map.querySelectorAll('rect').length - document.querySelectorAll('[data-to]').length,
          lines: map.querySelectorAll('line').length,
          covered: buttons.filter(({ top, bottom }) => bottom > mapTop && top < mapBottom).length,
        };
      });
      // Two pages are shared by parent and child.
      expect([width, shown]).toEqual([width, { links: 0, rects: 0, lines: 2, covered: 0 }]);
    }
  });

  it('has lines in place of the map on a wide page, and a legend in both', async () => {
    const page = await open('#share', { width: 960, height: 720 });
    expect(await page.locator('.links path').count()).toBeGreaterThan(3);
    expect(await page.locator('.map').isVisible()).toBe(false);
    expect(await page.locator('.states li').count()).toBe(4);
  });

  it("explains why the child's shared pages are not present, until it reads them", async () => {
    const page = await open('#share');
    expect(await row(page, 2, 'shared.0')).toBe('not present');
    expect(await page.locator('.why').innerText()).toContain('Why are code and shared of the child not present?');
    await page.click('[data-do="read.2.shared.0"]');
    expect(await page.locator('.why').innerText()).toContain('Why is code of the child not present?');
    await page.click('[data-do="read.2.code.0"]');
    expect(await page.locator('.why').count()).toBe(0);
  });

  it('comes back to the same state step by step', async () => {
    const page = await open('#share?at=0.0');
    const states: string[] = [];
    const state = async (): Promise<string> =>
      `${await page.locator('.board').innerText()} ${await page.locator('.counts').innerText()}`;
    while (await page.locator('[data-do="step"]').isEnabled()) {
      states.push(await state());
      await page.keyboard.press('n');
    }
    expect(states.length).toBe(16);
    while (await page.locator('[data-do="back"]').isEnabled()) {
      await page.keyboard.press('b');
      expect(await state()).toBe(states.pop());
    }
  });

  it('runs to the end by itself, and stops when told', async () => {
    const page = await open('#share?at=14.1');
    for (const speed of ['1×', '2×']) {
      expect(await page.locator('[data-do="speed"] .sign').innerText()).toBe(speed);
      await page.keyboard.press('s');
    }
    await page.keyboard.press('Space');
    await page.waitForFunction(() => location.hash.endsWith('at=16.1'));
    expect(await page.locator('.now').innerText()).toContain('Process 3 writes');
  });

  it('says in a sentence why a fifth process cannot be, and what a forbidden write ends in', async () => {
    const page = await open('#share?do=spawn spawn spawn spawn');
    await page.click('[data-do="spawn"]');
    expect(await page.locator('.notice').innerText()).toContain('4 processes run');
    await page.click('[data-do="write.1.code.0"]');
    expect(await page.locator('.now').innerText()).toContain('SIGSEGV (SEGV_ACCERR)');
  });
});
