import { spawnSync } from 'node:child_process';

/** A compiler that makes programs is there: tests of what is compiled on the spot are skipped elsewhere. */
export const hasCompiler =
  spawnSync(process.env.CC ?? 'cc', ['-xc', '-', '-o', '/dev/null'], { input: 'int main(void) { return 0; }' })
    .status === 0;
