/** A Chromium on this machine and the page as `pagewalk explore` serves it, for tests that look at the page. */

import type { ChildProcess } from 'node:child_process';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launchBrowser, servePage } from '../../bench/page/browser.js';
import { CLI_PATH } from '../src/cli/run-cli.js';
import { HANGING_MS } from '../runner/patience.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

const DESKTOP: Size = { width: 1280, height: 720 };

/** Presses a key some times, all within the page: a question from outside costs more than the drawing. */
export function press(page: Page, key: string, times: number): Promise<void> {
  return page.evaluate(
    ([name, count]) => {
      for (let i = 0; i < count; i++) dispatchEvent(new KeyboardEvent('keydown', { key: name, cancelable: true }));
    },
    [key, times] as const,
  );
}

/** Opens a page at a link that nobody has done anything to. */
type Open = (link?: string, size?: Size) => Promise<Page>;

/**
 * The tests of one view, with a server and a browser for all of them, where the machine has a Chromium. At the end none
 * of the pages may have complained.
 */
export function describeView(name: string, tests: (open: Open) => void): void {
  const chromium = findChromium();
  describe.skipIf(chromium === undefined)(`the ${name} view`, () => {
    let explorer: Explorer;
    beforeAll(async () => {
      explorer = await Explorer.start(chromium!);
    });
    afterEach(async () => {
      await explorer.leavePages();
    });
    afterAll(async () => {
      await explorer.stop();
    });

    tests((link, size) => explorer.open(link, size));

    it('had nothing to complain about', () => {
      expect(explorer.complaints).toEqual([]);
    });
  });
}

/** The server and the browser of a test file, and everything that its pages complain about. */
class Explorer {
  /** Errors and warnings of consoles, exceptions, and requests that leave the page's own server. */
  readonly complaints: string[] = [];
  /** Tabs, which take longer to make than the page to load; the first `#inUse` of them show it. */
  readonly #tabs: Page[] = [];
  #inUse = 0;

  private constructor(
    readonly server: ChildProcess,
    readonly address: string,
    readonly context: BrowserContext,
  ) {}

  static async start(executablePath: string): Promise<Explorer> {
    const { server, address } = await servePage(CLI_PATH);
    const browser = await launchBrowser(executablePath);
    return new Explorer(server, address, await browser.newContext());
  }

  async open(link = '', size = DESKTOP): Promise<Page> {
    const tab = this.#tabs.at(this.#inUse) ?? (await this.#newTab());
    this.#inUse++;
    await tab.bringToFront();
    await tab.setViewportSize(size);
    await tab.goto(this.address + link);
    await tab.waitForSelector('main');
    return tab;
  }

  async #newTab(): Promise<Page> {
    const tab = await this.context.newPage();
    tab.setDefaultTimeout(HANGING_MS);
    tab.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    tab.on('pageerror', (error) => {
      this.complaints.push(error.message);
    });
    tab.on('request', (request) => {
      if (!/^(data|blob|about):/.test(request.url()) && !request.url().startsWith(this.address)) {
        this.complaints.push(`request to ${request.url()}`);
      }
    });
    this.#tabs.push(tab);
    return tab;
  }

  /** Leaves every page: its work ends, and that of its workers. One tab stays: behind others it would be slow. */
  async leavePages(): Promise<void> {
    for (const tab of this.#tabs.splice(1)) await tab.close();
    this.#inUse = 0;
    await this.#tabs.at(0)?.mouse.move(0, 0);
    await this.#tabs.at(0)?.goto('about:blank');
  }

  async stop(): Promise<void> {
    await this.context.browser()?.close();
    this.server.kill();
  }
}
