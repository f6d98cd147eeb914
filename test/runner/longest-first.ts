import { createHash } from 'node:crypto';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, in this order: they wait for programs and browsers, or work through whole recordings. */
const LONGEST = [
  /readme\.test/,
  /\.browser\.test/,
  /\/(?:linux|random|packed|record|main|public-face|course)\.test/,
  /\/cli\//,
];

function rank({ moduleId }: TestSpecification): number {
  const found = LONGEST.findIndex((pattern) => pattern.test(moduleId));
  return found < 0 ? LONGEST.length : found;
}

/** An order that the seed alone decides. */
function place({ moduleId }: TestSpecification, seed: number): string {
  return createHash('sha256').update(`${seed} ${moduleId}`).digest('hex');
}

/**
 * Where nothing has been timed yet, vitest begins with the largest files; of ours some short ones take longest, and one of
 * those alone at the end would leave a core idle. `--sequence.shuffle` shuffles the files as well as the tests.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { shuffle, seed } = this.ctx.config.sequence;
    if (shuffle === true) return files.toSorted((a, b) => place(a, seed).localeCompare(place(b, seed)));
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
