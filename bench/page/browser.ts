/** A Chromium of this machine, and the page as `pagewalk explore` serves it; for the tests of the page, too. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

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

export function launchBrowser(executablePath: string): Promise<Browser> {
  // A busy machine takes its time.
  return chromium.launch({ executablePath, args: FLAGS, timeout: 0 });
}

/**
 * `pagewalk explore` as a user runs it.
 * @param command path of the built command line
 */
export async function servePage(command: string): Promise<{ server: ChildProcess; address: string }> {
  const server = spawn(process.execPath, [command, 'explore', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
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
