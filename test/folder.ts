import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder for the test that runs, or that `beforeEach` prepares; it goes away with all that is in it when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pagewalk-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}
