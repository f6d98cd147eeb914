/** A Chromium on this machine and the page as `pagewalk explore` serves it, for tests that look at the page. */

import type { ChildProcess } from 'node:child_process';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launch, servePage } from '../../bench/browser.js';
import { CLI_PATH } from '../src/cli/run-cli.js';

export { findChromium } from '../../bench/browser.js';

/** The server and the browser of a test file, and everything that its pages complain about. */
export class Explorer {
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

  /** A page of its own at a link; 1280x720 unless told otherwise. */
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
