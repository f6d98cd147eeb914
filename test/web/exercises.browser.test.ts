import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { partsOf } from '../../src/quiz/exercise.js';
import { makeExercises } from '../../src/quiz/quiz.js';
import { describeView } from './browser.js';

describeView('exercises', (open) => {
  const fill = async (page: Page, index: number, texts: readonly string[]): Promise<void> => {
    const exercise = page.locator(`[data-exercise="${index}"]`);
    for (const [part, text] of texts.entries()) await exercise.locator(`[data-part="${part}"]`).fill(text);
    await exercise.locator('[data-do="mark"]').click();
  };

  it('marks each part of an answer, and gives the reasons', async () => {
    const page = await open('#exercises?topic=cow&seed=3');
    const [exercise] = makeExercises('cow', 3);
    const right = partsOf(exercise).map(({ value }) => value);
    const shown = page.locator('[data-exercise="0"]');
    expect(await shown.innerText()).not.toContain(exercise.answer);
    await fill(page, 0, [right[0], '77', right[2]]);
    expect(await shown.locator('.good').count()).toBe(2);
    expect(await shown.locator('.bad').innerText()).toBe(`✗ ${right[1]}`);
    expect(await shown.innerText()).toContain(exercise.reasoning[0]);
    expect(await page.locator('.now').innerText()).toContain('1 marked, 0 of them right');
    await fill(page, 0, right);
    expect(await shown.locator('.bad').count()).toBe(0);
    expect(await page.locator('.now').innerText()).toContain('1 marked, 1 of them right');
  });

  it('has the sheet of its link: topic, difficulty, count and seed', async () => {
    const page = await open('#exercises');
    expect(await page.locator('.exercise').count()).toBe(makeExercises(undefined, 1).length);
    await page.selectOption('[data-field="topic"]', 'tlb');
    await page.selectOption('[data-field="difficulty"]', 'hard');
    await page.fill('[data-field="count"]', '5');
    await page.press('[data-field="count"]', 'Tab');
    await page.click('[data-do="next"]');
    const { hash } = new URL(page.url());
    expect(hash).toBe('#exercises?topic=tlb&difficulty=hard&count=5&seed=2');
    const wanted = makeExercises('tlb', 2, { difficulty: 'hard', count: 5 });
    const copy = await open(hash);
    expect(await copy.locator('.exercise h2 + p').allInnerTexts()).toEqual(wanted.map(({ question }) => question));
    expect(await page.locator('.exercise h2 + p').allInnerTexts()).toEqual(wanted.map(({ question }) => question));
  });

  it('says in a sentence which sheet cannot be', async () => {
    const page = await open('#exercises');
    await page.fill('[data-field="count"]', '1000');
    await page.press('[data-field="count"]', 'Tab');
    expect(await page.locator('.notice').innerText()).toContain(
      "count '1000' cannot be; give a whole number from 1 to 100",
    );
    await page.selectOption('[data-field="machine"]', 'riscv');
    expect(await page.locator('.exercise').count()).toBe(1);
    await page.selectOption('[data-field="topic"]', 'cow');
    expect(await page.locator('.notice').innerText()).toContain(
      "no exercise of topic 'cow' is about riscv; choose machines, or any machine",
    );
  });

  it('prints the sheet without, and the key with the answers, and nothing around them', async () => {
    const page = await open('#exercises?topic=allocation');
    for (const button of await page.locator('[data-do="answer"]').all()) await button.click();
    const papers = await page.evaluate(() => {
      const printed: string[] = [];
      window.print = () => printed.push(document.querySelector<HTMLElement>('main')!.innerText);
      for (const paper of ['sheet', 'key']) document.querySelector<HTMLElement>(`[data-do="print-${paper}"]`)!.click();
      return printed;
    });
    const exercises = makeExercises('allocation', 1);
    expect(papers).toHaveLength(2);
    for (const { question, reasoning } of exercises) {
      expect(papers[0]).toContain(question);
      expect(papers[0]).not.toContain(reasoning[0]);
      expect(papers[1]).toContain(reasoning[0]);
    }
    expect(papers.join()).not.toContain('Print the sheet');
    expect(await page.locator('.exercise').count()).toBe(exercises.length);
    // A sheet of A4 between margins of a centimetre.
    await page.setViewportSize({ width: 718, height: 1047 });
    await page.emulateMedia({ media: 'print' });
    const onPaper = await page.evaluate(() => ({
      controls: [...document.querySelectorAll('header, .controls, main button')].filter(
        (one) => one.getBoundingClientRect().width > 0,
      ).length,
      cutOff: [...document.querySelectorAll('main, pre')].filter((one) => one.scrollWidth > one.clientWidth).length,
    }));
    expect(onPaper).toEqual({ controls: 0, cutOff: 0 });
    await page.emulateMedia({ media: null });
  });

  it('fits a phone without scrolling sideways', async () => {
    const page = await open('#exercises', { width: 390, height: 844 });
    for (const button of await page.locator('[data-do="answer"]').all()) await button.click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});
