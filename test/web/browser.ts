/** A Chromium on this machine and the page as `pagewalk explore` serves it, for tests that look at the page. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { CLI_PATH } from '../src/cli/run-cli.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser's path, or undefined when this machine has none. */
export function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
}

/** `pagewalk explore` as a user runs it. */
async function serve(): Promise<{ server: ChildProcess; address: string }> {
  const server = spawn(process.execPath, [CLI_PATH, 'explore', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await new Promise<string>((resolve, reject) => {
    server.once('exit', () => {
      reject(new Error('pagewalk explore ended at once'));
    });
    server.stdout.on('data', (data: Buffer) => {
      const found = /http:\/\/\S+/.exec(data.toString())?.[0];
      if (found !== undefined) resolve(found);
    });
  });
  return { server, address };
}

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
    const { server, address } = await serve();
    return new Explorer(server, address, await chromium.launch({ executablePath, args: FLAGS }));
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

  async stop(): Promise<void> {
    await this.browser.close();
    this.server.kill();
  }
}
