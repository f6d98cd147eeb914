import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests run what is compiled, the command that ships, and the page: whoever changed a source would see an old one. */
export default function buildWhatIsNewer(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../.ci/build-newer.mjs', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
