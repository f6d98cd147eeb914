import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { demoStateInput } from '../../src/explain/demo-states.js';
import { describeView, press } from './browser.js';

/** Drops a state file on the page, and waits for what it leads to. */
async function dropState(page: Page, state: unknown, until: string): Promise<void> {
  const data = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], 'mine.json'));
    return transfer;
  }, JSON.stringify(state));
  await page.dispatchEvent('main', 'drop', { dataTransfer: data });
  await page.waitForSelector(until, { state: 'attached' });
}

describeView('translate', (open) => {
  const result = (page: Page): Promise<string> => page.locator('.outcome h2').innerText();
  /** The drawing without the comments by which lit finds its place. */
  const drawing = async (page: Page): Promise<string> =>
    (await page.locator('main').innerHTML()).replace(/<!--.*?-->/g, '');

  it('is there at once: all levels of a first walk, and its physical address', async () => {
    const page = await open();
    expect(await result(page)).toContain('physical address 0x1072d8');
    expect(await page.locator('.level.read').count()).toBe(4);
    const fields = await page.locator('.field b').allInnerTexts();
    expect(fields).toEqual(['254', '360', '483', '142', '0x2d8']);
  });

  it('walks on each machine: chosen in the menu, by link, and from a file that the terminal prints', async () => {
    const page = await open();
    const verdicts: string[] = [];
    const marks: string[] = [];
    for (const machine of ['riscv', 'aarch64', 'toy', 'nested']) {
      await page.selectOption('[data-field="machine"]', machine);
      verdicts.push(await page.locator('.outcome .verdict').innerText());
      marks.push(...(await page.locator('.bytes td b').allInnerTexts()));
    }
    // A toy's memory: the first entry read, the byte reached, the second entry.
    expect(marks).toEqual(['1', '✓', '2']);
    expect(verdicts.map((text) => text.replace(/\s+/g, ' '))).toEqual([
      '✓ physical address 0x87f6b024',
      '✓ physical address 0x411002d8',
      '✓ physical address 0xdc0',
      '✓ physical address 0x9002d8',
    ]);
    expect(await page.locator('.nested .read, .nested .latest').count()).toBe(24);
    await page.click('[data-do="tour"]');
    await press(page, 'n', 5);
    expect(await page.locator('.latest-read').innerText()).toBe(
      "Read 5: entry of the guest's PML4 at 0x8107f0, value 0x11007",
    );
    expect(await page.locator('.nested .later').count()).toBe(19);
    const copy = new URL(page.url()).hash;
    // The host has not given the guest the page of this address.
    await page.fill('[data-field="address"]', '602000');
    await page.keyboard.press('Enter');
    const refused = await page.locator('.outcome').innerText();
    expect(refused).toContain("the host's EPT PD entry is not present: R = W = X = 0");
    expect(refused).toContain('Intel SDM vol. 3C, "EPT Violations"');
    // A guest of another machine.
    await page.selectOption('[data-field="guest"]', 'riscv');
    await page.fill('[data-field="address"]', '602000');
    await page.keyboard.press('Enter');
    expect(await page.locator('.outcome .reasons').innerText()).toContain(
      "the host's tables refuse guest-physical 0x803ff000",
    );
    await page.selectOption('[data-field="machine"]', 'aarch64');
    await page.click('[data-level="0"] [data-bit="0"]');
    expect(await page.locator('.outcome .verdict').innerText()).toBe('✗ translation fault, level 3');
    await dropState(
      page,
      { ...demoStateInput('4l'), about: 'mine', tlb: 'none' },
      '[data-field="machine"] [value="own"]',
    );
    await page.fill('[data-field="address"]', '601000');
    await page.keyboard.press('Enter');
    expect(await page.locator('.outcome .verdict').innerText()).toContain('0x101000');
    const own = new URL(page.url());
    expect(own.hash).toMatch(/^#translate\?state=/);
    await open(own.hash.replace('translate?', ''));
    expect(await page.locator('.outcome .verdict').innerText()).toContain('0x101000');
    await dropState(page, { schemaVersion: 1, machine: 'riscv', csrs: { satp: 'x' } }, '.notice:not([hidden])');
    expect(await page.locator('.notice').innerText()).toContain('csrs.satp: expected a hexadecimal number');
    const again = await open(copy);
    expect(await again.locator('.latest-read').innerText()).toContain('Read 5');
  });

  it('saves its drawing as SVG, grows for a lecture, and is alone in a frame', async () => {
    const page = await open('#translate?machine=riscv');
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('[data-do="export"]')]);
    expect(saved.suggestedFilename()).toBe('pagewalk-translate.svg');
    const svg = readFileSync(await saved.path(), 'utf8');
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+" style="font-size:15px">/,
    );
    expect(svg).toContain('level 2');
    expect(svg).not.toContain('<select');
    const size = (): Promise<string> => page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
    await page.setViewportSize({ width: 1920, height: 1080 });
    expect(await size()).toBe('15px');
    await page.click('[data-do="large"]');
    expect(parseFloat(await size())).toBeGreaterThan(17);
    // It fills the screen, and does not run over it.
    const bottom = await page.evaluate(() => document.querySelector('main')!.getBoundingClientRect().bottom);
    expect(bottom).toBeGreaterThan(0.85 * 1080);
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(1080);
    const frame = await open('?embed#translate?machine=riscv');
    const shown = ['nav', '.controls', '.tour', '.transport', '.drawing'].map((part) =>
      frame.locator(part).isVisible(),
    );
    expect(await Promise.all(shown)).toEqual([false, false, false, true, true]);
  });

  it('makes a fault when a bit is toggled, and takes it back', async () => {
    const page = await open();
    await page.click('[data-level="0"] [data-bit="0"]');
    expect(await result(page)).toContain('#PF page fault, error code 0x4');
    await page.click('[data-level="0"] [data-bit="0"]');
    expect(await result(page)).toContain('physical address 0x1072d8');
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
    expect(await page.locator('.strip b').allTextContents()).toContain('walked');
    expect(await page.locator('.tlb p').allInnerTexts()).toContainEqual(expect.stringContaining('filled: holds'));
    for (let i = 0; i < 2; i++) await page.click('[data-do="step"]');
    expect(await page.locator('.strip b').allTextContents()).toEqual(['lookup', 'hit']);
    expect(await page.locator('.tlb p').allInnerTexts()).not.toContainEqual(expect.stringContaining('filled'));
  });

  it('lets a register bit decide: SMAP stops the kernel, AC lets it through again', async () => {
    const page = await open('#translate?do=read.kernel.0x602000&at=1.9');
    expect(await page.locator('[data-register="cr4.21"]').isVisible()).toBe(false);
    await page.click('.registers summary');
    await page.click('[data-register="cr4.21"]');
    expect(await result(page)).toContain('error code 0x1');
    expect(await page.locator('.reasons').innerText()).toContain('SMAP');
    await page.click('[data-register="rflags.18"]');
    expect(await result(page)).toContain('physical address 0x102000');
  });

  it('says in a sentence what the processor refuses', async () => {
    const page = await open();
    await page.click('.registers summary');
    await page.click('[data-register="cr4.5"]');
    expect(await page.locator('.notice').innerText()).toContain('CR4.PAE cannot change now: #GP');
  });

  it('comes back to the same drawing after steps forward and back', async () => {
    const page = await open('#translate?mode=pae');
    // The form begins with an address that the machine has.
    expect(await page.inputValue('[data-field="address"]')).toBe('0xb7e532d8');
    const before = await drawing(page);
    await press(page, 'n', 12);
    expect(await drawing(page)).not.toBe(before);
    await press(page, 'b', 12);
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

  it('answers a bad link with a sentence and goes on', async () => {
    const page = await open();
    const links = [
      ['#nowhere', "there is no view 'nowhere'"],
      ['#translate?mode=6l', "mode '6l' cannot be"],
      ['#translate?do=jump.0x0', "'jump.0x0' is nothing that can happen here"],
      ['#translate?at=x', 'must be two numbers'],
    ];
    for (const [link, sentence] of links) {
      const [told, after] = await page.evaluate((hash) => {
        location.hash = hash;
        // The browser's own event comes later.
        dispatchEvent(new HashChangeEvent('hashchange'));
        const notice = (): string => document.querySelector('.notice')!.textContent;
        const before = notice();
        document.querySelector<HTMLElement>('[data-do="step"]')!.click();
        return [before, notice()];
      }, link);
      expect([told, after]).toEqual([expect.stringContaining(sentence), '']);
    }
  });

  it('goes on with the tour where it was left for a click, also after another view and by a link', async () => {
    const page = await open();
    const events = (): number => new URLSearchParams(page.url().split('?')[1]).get('do')!.split(' ').length;
    const place = (): Promise<string> => page.locator('.tour p').innerText();
    await page.click('[data-do="tour"]');
    // To the end of the second event: a hit, with all levels to be seen.
    await press(page, 'n', 7);
    const before = [await drawing(page), page.url(), events()];
    expect(events()).toBe(12);
    for (let round = 0; round < 2; round++) {
      await page.click('[data-level="0"] [data-bit="1"]');
      await page.click('[data-do="flush"]');
      expect(await place()).toContain('You left the tour at event');
      expect(events()).toBe(12);
      if (round === 0) {
        const copy = await open(new URL(page.url()).hash);
        expect(await drawing(copy)).toBe(await drawing(page));
        await copy.click('[data-do="tour"]');
        expect(copy.url()).toBe(before[1]);
        await page.bringToFront();
        for (const key of ['3', '1']) await page.keyboard.press(key);
        await page.click('[data-do="tour"]');
      } else await page.keyboard.press('n');
      expect([await drawing(page), page.url(), events()]).toEqual(before);
    }
    await page.click('[data-level="0"] [data-bit="1"]');
    await press(page, 'n', 40);
    expect(await place()).toBe('Event 12 of 12 of the tour.');
  });

  it("starts its own tour from a link's events", async () => {
    const page = await open('#translate?do=read.user.0x601000+write.user.0x602000&at=1.9');
    expect(await page.locator('.tour p').innerText()).toBe('Event 1 of 2.');
    await page.click('[data-do="flush"]');
    await page.click('[data-do="tour"]');
    expect(await page.locator('.tour p').innerText()).toBe('Event 1 of 2.');
    await page.click('[data-do="tour"]');
    expect(await page.locator('.places li').count()).toBe(12);
    expect(await page.locator('main').innerText()).toContain('0x7f5a3c68e2d8');
  });

  it('leads back to the view before with the Back of the browser, as it was left', async () => {
    const page = await open('#translate?at=4.2');
    const before = page.url();
    await page.keyboard.press('3');
    await page.keyboard.press('n');
    await page.keyboard.press('5');
    await page.goBack();
    expect(page.url()).toContain('#share');
    expect(page.url()).toContain('at=7.1');
    await page.goBack();
    await page.waitForSelector('main[data-view="translate"]');
    expect(page.url()).toBe(before);
    await page.goForward();
    await page.waitForSelector('main[data-view="share"]');
  });

  it('stays at its place in the tour with another machine', async () => {
    const page = await open('#translate?at=4.9');
    await page.selectOption('[data-field="tlb"]', 'none');
    expect(await page.locator('.tour p').innerText()).toBe('Event 4 of 12 of the tour.');
    await page.selectOption('[data-field="mode"]', 'pae');
    expect(await page.locator('.tour p').innerText()).toBe('Event 4 of 12 of the tour.');
  });

  it('explains why a write that hits walks', async () => {
    const page = await open('#translate?at=3.9');
    expect(await page.locator('.tlbs .verdict').innerText()).toBe('L1 hit');
    expect(await page.locator('.why').innerText()).toContain('must set D in the entry');
    await page.click('[data-do="access"]');
    expect(await page.locator('.why').count()).toBe(0);
  });

  it('leads a selector and offset through its checks, one after the other, and on to the walk', async () => {
    const page = await open('#segment');
    expect(await result(page)).toContain('physical address 0x100010');
    await page.click('[data-do="tour"]');
    await press(page, 'n', 2);
    const signs = await page.locator('.checks li > b').allInnerTexts();
    expect(signs.map((sign) => sign.charAt(0))).toEqual(['✓', '–', '–', '–', '–', '–']);
    await page.fill('[data-field="logical"]', '33:10');
    await page.selectOption('[data-field="access"]', 'write');
    await page.keyboard.press('Enter');
    expect(await result(page)).toContain('#GP general protection');
    expect(await page.locator('.tour p').innerText()).toContain('You left the tour');
    await page.click('[data-descriptor="0"] [data-bit="41"]');
    expect(await result(page)).toContain('physical address 0x100010');
    await page.click('[data-do="onward"]');
    await page.waitForSelector('main[data-view="translate"]');
    expect(await result(page)).toContain('physical address 0x100010');
    await page.goBack();
    await page.waitForSelector('main[data-view="segment"]');
    await dropState(page, { schemaVersion: 1, registers: { cr0: '0x1' } }, '.notice:not([hidden])');
    expect(await page.locator('.notice').innerText()).toContain('segments is missing');
  });

  it('touches the pages of a program, and says what another TLB would miss', async () => {
    const page = await open('#tlb?program=array&shape=4xfa&at=10.1');
    const count = (name: string): Promise<string> => page.locator(`[data-count="${name}"] dd`).innerText();
    expect([await count('hits'), await count('misses'), await count('hit rate')]).toEqual(['7', '3', '70%']);
    await page.fill('[data-field="pages"]', '0 4 0 4');
    await page.click('[data-do="pages"]');
    await page.selectOption('[data-field="shape"]', '4x1');
    expect([await count('hits'), await count('misses')]).toEqual(['0', '4']);
    expect(await page.locator('.bars td:nth-child(2)').allInnerTexts()).toContain('2 of 4');
    expect(await page.locator('.time .miss').count()).toBe(5);
  });
});
