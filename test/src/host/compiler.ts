import { spawnSync } from 'node:child_process';
import { hugePageSystem, whyNoHugePages } from '../../../src/host/thp.js';

/** A compiler that makes programs is there: tests of what is compiled on the spot are skipped elsewhere. */
export const hasCompiler =
  spawnSync(process.env.CC ?? 'cc', ['-xc', '-', '-o', '/dev/null'], { input: 'int main(void) { return 0; }' })
    .status === 0;

/** `pagewalk try` can do its work here. */
export const canTry = hasCompiler && whyNoHugePages(await hugePageSystem()) === undefined;
