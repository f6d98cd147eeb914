/** `npm run docs`: the API reference of all that package.json exports. An undocumented export or a dead link fails. */

import { readFileSync } from 'node:fs';
import { URL } from 'node:url';

const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

export default {
  // './dist/src/index.d.ts' is made of 'src/index.ts'.
  entryPoints: Object.values(exports)
    .filter(({ types }) => types)
    .map(({ types }) => types.replace('./dist/', '../').replace('.d.ts', '.ts')),
  tsconfig: 'tsconfig.json',
  out: '../dist/docs',
  name: 'pagewalk',
  readme: 'none',
  disableSources: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  validation: { invalidLink: true, notDocumented: true, notExported: true },
  // Exported types are made of these; no user needs their names.
  intentionallyNotExported: [
    'ENGINE_NAMES',
    'STORED',
    'DEMO_MODES',
    'Fields',
    'HUGE_PAGE_POLICIES',
    'MODES',
    'OBJECT_KINDS',
    'Reader',
    'SHMEM_MODES',
    'VIEWS',
    'traceFacts',
    'traceMetadata',
  ],
  requiredToBeDocumented: ['Module', 'Variable', 'Function', 'Class', 'Interface', 'TypeAlias', 'Method', 'Accessor'],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
};
