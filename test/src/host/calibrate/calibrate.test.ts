import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { compiled } from '../../../../src/host/compile.js';
import { Samples } from '../../../../src/host/calibrate/figures.js';
import { packageFile } from '../../../../src/host/package-file.js';
import { hasCompiler } from '../compiler.js';

describe.runIf(hasCompiler && process.platform === 'linux')('the measuring program', () => {
  it('tells as many samples as it planned, of every kind, none of them without time', async () => {
    const path = packageFile('src/host/calibrate/calibrate.c');
    const program = await compiled({ path, kind: 'program', name: 'the measuring program' });
    const samples = new Samples();
    for (const line of execFileSync(program, [String(16 * 2 ** 20), '1'], { encoding: 'utf8' }).split('\n'))
      samples.add(line);
    expect(samples.count).toBe(samples.planned);
    expect(samples.cpu).toBeGreaterThan(0);
    const figures = samples.figures();
    expect([...new Set(figures.map(({ name }) => name))].sort()).toEqual([
      'cycle',
      'dependent',
      'fork',
      'independent',
      'instruction',
      'lap',
      'look',
      'sparse-dependent',
      'sparse-independent',
      'stream',
      'streams-in-step',
      'three-streams',
      'touch',
    ]);
    expect(figures.filter(({ name, low }) => name !== 'fork' && !(low > 0))).toEqual([]);
    expect(figures.every(({ name, samples: count }) => count === (name === 'lap' ? 1 : 3))).toBe(true);
  });
});
