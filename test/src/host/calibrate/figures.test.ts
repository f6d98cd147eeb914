import { expect, it } from 'vitest';
import { curve, Samples, spreadOf } from '../../../../src/host/calibrate/figures.js';

function samplesOf(...lines: string[]): Samples {
  const samples = new Samples();
  for (const line of lines) samples.add(line);
  return samples;
}

it('collects samples by name, pages and size, and passes over what it does not know', () => {
  const samples = samplesOf(
    'plan 4',
    'huge 4194304',
    'dependent 2M 65536 4',
    'a warning of some library',
    'dependent 2M 65536 6',
    'dependent 2M 16384 1',
    'unheard 2M 16384 1',
    'dependent 4K 16384 1.5',
    'cpu 2.5',
  );
  expect([samples.planned, samples.count, samples.huge, samples.cpu]).toEqual([4, 4, 4194304, 2.5]);
  expect(samples.figures()).toHaveLength(3);
  expect(curve(samples.figures(), 'dependent', '2M')).toEqual([
    { bytes: 16384, ns: 1 },
    { bytes: 65536, ns: 5 },
  ]);
});

it('a figure is the median with its quartiles, and its spread the farther of them', () => {
  const [figure] = samplesOf(...[8, 10, 9, 20, 11].map((ns) => `fork 4K 65536 ${ns}`)).figures();
  expect(figure).toEqual({ name: 'fork', pages: '4K', bytes: 65536, ns: 10, low: 9, high: 11, samples: 5 });
  expect(spreadOf(figure)).toBe(0.1);
});

it('a fork that seems to take less than no time takes none', () => {
  const [figure] = samplesOf('fork 4K 65536 -3').figures();
  expect([figure.ns, spreadOf(figure)]).toEqual([0, 0]);
});
