import { expect, it } from 'vitest';
import { runCli, runCliApart } from '../run-cli.js';

const WORKLOAD = ['-w', 'zipf', '--footprint', '16M', '--accesses', '10k', '--pages', '4K,2M'];
const SHAPES = ['--l1', '16x4,64x4/random,32x4/tree-plru', '--l2', 'none,512x4,768x12'];

async function csvRows(args: readonly string[]): Promise<string[][]> {
  const { status, stdout, stderr } = await runCliApart([...args, '--csv', '-']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const lines = stdout.trim().split('\n');
  return lines.map((line) => line.split(','));
}

it('counts the same with one worker and with three', async () => {
  const one = await csvRows(['sweep', ...WORKLOAD, ...SHAPES, '--workers', '1']);
  expect(one).toHaveLength(1 + 2 * 9);
  expect(await csvRows(['sweep', ...WORKLOAD, ...SHAPES, '--workers', '3'])).toEqual(one);
});

it('counts a shape as compare does', async () => {
  const [head, ...rows] = await csvRows(['sweep', ...WORKLOAD, '--l1', '16x4,32x4', '--l2', '512x4']);
  const swept = rows.filter((row) => row.includes('32x4')).map((row) => row[head.indexOf('walks')]);
  const [compareHead, ...compared] = await csvRows(['compare', ...WORKLOAD, '--tlb', '32x4+512x4+psc']);
  expect(swept).toEqual(compared.map((row) => row[compareHead.indexOf('walks')]));
  expect(Number(swept[0])).toBeGreaterThan(Number(swept[1]));
});

it.each([
  [['--l1', '64x5'], /--l1.*64x5.*ways 5/s],
  [['--l1', 'skylake'], /--l1.*skylake/s],
  [['--l2', '0x4'], /--l2.*0x4/s],
  [['--workers', '0'], /--workers.*from 1/s],
  [['/no/such/file'], /no\/such\/file/],
  [['--footprint', '1T', '-w', 'zipf'], /footprint/],
])('refuses %j in words, without a stack trace', async (args, message) => {
  const { status, stdout, stderr } = await runCli(['sweep', ...args]);
  expect(status).not.toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
});
