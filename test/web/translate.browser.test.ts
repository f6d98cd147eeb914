import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeView } from './browser.js';

describeView('translate', (open) => {
  const result = (page: Page): Promise<string> => page.locator('.outcome h2').innerText();
  /** The drawing without the comments by which lit finds its place. */
  const drawing = async (page: Page): Promise<string> =>
    (await page.locator('main').innerHTML()).replace(/<!--.*?-->/g, '');

  it('is there at once: all levels of a first walk, and its physical address', async () => {
    const page = await open();
    expect(await result(page)).toContain('physical address 0x101000');
    expect(await page.locator('.level.read').count()).toBe(4);
  });

  it('makes a fault when a bit is toggled, and takes it back', async () => {
    const page = await open();
    await page.click('[data-level="0"] [data-bit="0"]');
    expect(await result(page)).toContain('#PF page fault, error code 0x4');
    await page.click('[data-level="0"] [data-bit="0"]');
    expect(await result(page)).toContain('physical address 0x101000');
  });

  it('shows the stale entry when INVLPG is forgotten, and the fault after it', async () => {
    const page = await open();
    await page.check('.aside input');
    await page.click('[data-level="0"] [data-bit="0"]');
    expect(await page.locator('.outcome').innerText()).toContain('The TLB is stale');
    await page.click('[data-do="invlpg"]');
    expect(await result(page)).toContain('error code 0x4');
  });

  it('lists every step of the processor, and marks the TLBs that the access filled', async () => {
    const page = await open();
    expect(await page.locator('.steps b').allTextContents()).toContain('walked');
    expect(await page.locator('.tlb p').allInnerTexts()).toContainEqual(expect.stringContaining('filled: holds'));
    for (let i = 0; i < 2; i++) await page.click('[data-do="step"]');
    expect(await page.locator('.steps b').allTextContents()).toEqual(['lookup', 'hit']);
    expect(await page.locator('.tlb p').allInnerTexts()).not.toContainEqual(expect.stringContaining('filled'));
  });

  it('lets a register bit decide: SMAP stops the kernel, AC lets it through again', async () => {
    const page = await open('#translate?do=read.kernel.0x602000&at=1.9');
    await page.click('[data-register="cr4.21"]');
    expect(await result(page)).toContain('error code 0x1');
    expect(await page.locator('.reasons').innerText()).toContain('SMAP');
    await page.click('[data-register="rflags.18"]');
    expect(await result(page)).toContain('physical address 0x102000');
  });

  it('says in a sentence what the processor refuses', async () => {
    const page = await open();
    await page.click('[data-register="cr4.5"]');
    expect(await page.locator('.notice').innerText()).toContain('CR4.PAE cannot change now: #GP');
  });

  it('comes back to the same drawing after steps forward and back', async () => {
    const page = await open('#translate?mode=pae');
    const before = await drawing(page);
    for (let i = 0; i < 12; i++) await page.keyboard.press('n');
    expect(await drawing(page)).not.toBe(before);
    for (let i = 0; i < 12; i++) await page.keyboard.press('b');
    expect(await drawing(page)).toBe(before);
  });

  it('opens a shared link at the same moment', async () => {
    const page = await open('#translate?mode=5l');
    for (let i = 0; i < 7; i++) await page.click('[data-do="step"]');
    const copy = await open(new URL(page.url()).hash);
    expect(await drawing(copy)).toBe(await drawing(page));
    expect(copy.url()).toBe(page.url());
  });

  it('takes an address from the keyboard', async () => {
    const page = await open('#translate?mode=32');
    await page.focus('[data-field="address"]');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('C0100000');
    await page.keyboard.press('Enter');
    expect(await result(page)).toContain('error code 0x5');
    expect(await page.locator('.reasons').innerText()).toContain('U/S = 0');
  });

  it('reads an address without 0x as the terminal does, and shows what it was taken for', async () => {
    const page = await open();
    await page.fill('[data-field="address"]', '60_1000');
    await page.keyboard.press('Enter');
    expect(await result(page)).toContain('physical address 0x101000');
    expect(await page.inputValue('[data-field="address"]')).toBe('0x601000');
    await page.fill('[data-field="address"]', '1ffffffffffffffff');
    await page.keyboard.press('Enter');
    expect(await page.locator('.notice').innerText()).toContain('no hexadecimal address of at most 64 bits');
  });

  it.each([
    ['#nowhere', "there is no view 'nowhere'"],
    ['#translate?mode=6l', "mode '6l' cannot be"],
    ['#translate?do=jump.0x0', "'jump.0x0' is nothing that can happen here"],
    ['#translate?at=x', 'must be two numbers'],
  ])('answers the bad link %s with a sentence and goes on', async (link, sentence) => {
    const page = await open(link);
    expect(await page.locator('.notice').innerText()).toContain(sentence);
    await page.click('[data-do="step"]');
    expect(await page.locator('.notice').innerText()).toBe('');
  });

  it('fits a phone without scrolling sideways', async () => {
    const page = await open('', { width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});
