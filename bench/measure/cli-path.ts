import { packageFile } from '../../src/host/package-file.js';

/** The path of the command as it ships. */
export const CLI_PATH = packageFile('dist/bundle/main.js');
