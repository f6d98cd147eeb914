/** How fast is the page? From opening it to a first view ready to answer, and a step in each view with steps. */

import type { Browser, Page } from 'playwright-core';
import { findChromium, launchBrowser, servePage } from './browser.js';
import { CLI_PATH } from '../measure/cli-path.js';
import { median } from '../../src/host/ratio.js';

const LOADS = 5;
const STEPS = 20;
/** Views with steps, each with a story of its own. */
const VIEWS = ['translate', 'share', 'labs'] as const;

/** From the click until the page is drawn anew and laid out. */
interface StepFigures {
  readonly view: string;
  readonly median: number;
  readonly slowest: number;
  /** CPU time of the page's thread for a step, painting and the measuring itself included: other work does not count. */
  readonly cpu: number;
}

/** Milliseconds in Chromium on this machine, of wall time unless said otherwise. */
export interface PageFigures {
  readonly schemaVersion: 1;
  /** From the start of the navigation until the first view is drawn and its buttons answer; each load on its own. */
  readonly firstView: { readonly median: number; readonly loads: readonly number[] };
  readonly steps: readonly StepFigures[];
}

/** Runs in the page before its own code: notes when the step button can be clicked, and was painted. */
const WATCH = `
  window.interactive = new Promise((resolve) => {
    const ready = () => document.querySelector('main .outcome') && document.querySelector('[data-do="step"]:not(:disabled)');
    const watch = new MutationObserver(() => {
      if (!ready()) return;
      watch.disconnect();
      requestAnimationFrame(() => resolve(performance.now()));
    });
    watch.observe(document, { childList: true, subtree: true });
  });
`;

/** One step: handlers and drawing are synchronous, and reading a height lays the page out. At its end the story begins again. */
const STEP = `(() => {
  const button = (name) => document.querySelector('[data-do="' + name + '"]');
  if (button('step').disabled) button('reset').click();
  const began = performance.now();
  button('step').click();
  document.body.getBoundingClientRect();
  return performance.now() - began;
})()`;

async function openPage(browser: Browser, address: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.addInitScript(WATCH);
  await page.goto(address);
  return page;
}

async function firstView(browser: Browser, address: string): Promise<number> {
  const page = await openPage(browser, address);
  const milliseconds = await page.evaluate<number>('window.interactive');
  await page.close();
  return milliseconds;
}

async function stepTimes(browser: Browser, address: string, view: string): Promise<StepFigures> {
  const page = await openPage(browser, `${address}#${view}`);
  await page.waitForSelector('[data-do="step"]');
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuTime = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN);
  };
  const times: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const before = await cpuTime();
    times.push(await page.evaluate<number>(STEP));
    cpu.push((await cpuTime()) - before);
  }
  await page.close();
  return { view, median: median(times), slowest: Math.max(...times), cpu: median(cpu) };
}

/** @throws Error without Chromium on this machine */
export async function measurePage(): Promise<PageFigures> {
  const path = findChromium();
  if (path === undefined) throw new Error('no Chromium on this machine; install one, such as the package chromium');
  const { server, address } = await servePage(CLI_PATH);
  let browser: Browser | undefined;
  try {
    browser = await launchBrowser(path);
    const loads: number[] = [];
    for (let i = 0; i < LOADS; i++) loads.push(await firstView(browser, address));
    const steps: StepFigures[] = [];
    for (const view of VIEWS) steps.push(await stepTimes(browser, address, view));
    return { schemaVersion: 1, firstView: { median: median(loads), loads }, steps };
  } finally {
    await browser?.close();
    server.kill();
  }
}

/** The figures for people. */
export function pageTable({ firstView: { median: first, loads }, steps }: PageFigures): string {
  const lines = steps.map(
    ({ view, median: typical, slowest, cpu }) =>
      `a step in ${view}: ${typical.toFixed(1)} ms, the slowest of ${STEPS} ${slowest.toFixed(1)} ms; CPU time ${cpu.toFixed(1)} ms\n`,
  );
  const each = loads.map((load) => load.toFixed(0)).join(', ');
  return `first view answers after ${first.toFixed(0)} ms (median of ${each})\n${lines.join('')}`;
}
