import { expect, test } from 'vitest';
import { LABS } from '../../../../src/lab/labs.js';
import { expectUsageError, runCli } from '../run-cli.js';

test('without a name the labs are listed, a line each', async () => {
  const { status, stdout } = await runCli(['lab']);
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ')[0])).toEqual(LABS.map(({ name }) => name));
});

test('the list as JSON has names and titles', async () => {
  const { status, stdout } = await runCli(['lab', '--json']);
  expect(status).toBe(0);
  const { labs } = JSON.parse(stdout) as { labs: unknown[] };
  expect(labs).toEqual(LABS.map(({ name, title }) => ({ name, title })));
});

test('a lab as JSON has its name and figures', async () => {
  const { status, stdout } = await runCli(['lab', 'segment-cow', '--json']);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'segment-cow',
    figures: { segmentBytesCopied: 10485760, pageBytesCopied: 4096 },
  });
});

test('a lab as text fits 80 columns', async () => {
  const { status, stdout } = await runCli(['lab', 'fork']);
  expect(status).toBe(0);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('an unknown lab is a usage error that names the labs there are', async () => {
  await expectUsageError(['lab', 'frok'], ["'frok'", 'fork-cost']);
});

test('the help fits a screen and has two examples', async () => {
  const { stdout } = await runCli(['lab', '--help']);
  expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(24);
  expect(stdout.match(/^ {2}pagewalk/gm)).toHaveLength(2);
});
