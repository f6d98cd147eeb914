/** A Chromium on this machine and the page as `pagewalk explore` serves it, for tests that look at the page. */

import type { ChildProcess } from 'node:child_process';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, launch, servePage } from '../../bench/browser.js';
import { CLI_PATH } from '../src/cli/run-cli.js';

/** Opens a page of its own at a link; 1280x720 unless told otherwise. */
type Open = (link?: string, options?: BrowserContextOptions) => Promise<Page>;

/**
 * The tests of one view, with a server and a browser for all of them, where the machine has a Chromium; pages are closed
 * after each test. At the end none of the pages may have complained.
 */
export function describeView(name: string, tests: (open: Open) => void): void {
  const chromium = findChromium();
  describe.skipIf(chromium === undefined)(`the ${name} view`, () => {
    let explorer: Explorer;
    beforeAll(async () => {
      explorer = await Explorer.start(chromium!);
    });
    afterEach(async () => {
      await explorer.closePages();
    });
    afterAll(async () => {
      await explorer.stop();
    });

    tests((link, options) => explorer.open(link, options));

    it('had nothing to complain about', () => {
      expect(explorer.complaints).toEqual([]);
    });
  });
}

/** The server and the browser of a test file, and everything that its pages complain about. */
class Explorer {
  /** Errors and warnings of consoles, exceptions, and requests that leave the page's own server. */
  readonly complaints: string[] = [];

  private constructor(
    readonly server: ChildProcess,
    readonly address: string,
    readonly browser: Browser,
  ) {}

  static async start(executablePath: string): Promise<Explorer> {
    const { server, address } = await servePage(CLI_PATH);
    return new Explorer(server, address, await launch(executablePath));
  }

  async open(link = '', options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(5000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => {
      this.complaints.push(error.message);
    });
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(this.address)) {
        this.complaints.push(`request to ${request.url()}`);
      }
    });
    await page.goto(this.address + link);
    await page.waitForSelector('main');
    return page;
  }

  /** Closes every page, and ends what its workers still do. */
  async closePages(): Promise<void> {
    for (const context of this.browser.contexts()) await context.close();
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.server.kill();
  }
}
