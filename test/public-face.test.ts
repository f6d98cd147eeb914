import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { unnamedTypes } from './public-types.js';

const ROOT = new URL('..', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};
/** The entries of code; `./package.json` is one, too, and has no types. */
const ENTRIES = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === 'string' ? [] : [join(ROOT, entry.types)],
);
const isOwn = (file: string): boolean => file.startsWith(join(ROOT, 'dist/'));

describe('types', () => {
  it('that a public member names are exported by an entry', () => {
    expect(unnamedTypes(ENTRIES, isOwn)).toEqual([]);
  });

  it('that no entry exports are found: the hardware’s, without the entry of the hardware', () => {
    const kernelAlone = ENTRIES.filter((entry) => entry.includes('kernel'));
    expect(unnamedTypes(kernelAlone, isOwn)).toContainEqual({ name: 'Ram', by: 'ProcessorMachine' });
  });
});

describe.each([
  [
    'pagewalk/hw',
    "import { Core, Mmu, Ram } from 'pagewalk/hw';\nconsole.log(new Core(new Mmu({ ram: new Ram({ bytes: 4096 }) })));",
  ],
  ['pagewalk/kernel', "import { Kernel } from 'pagewalk/kernel';\nconsole.log(Kernel);"],
])('a bundle for browsers of %s', (_name, program) => {
  it('is made without a warning, and imports nothing', async () => {
    const warnings: string[] = [];
    const result = await build({
      root: ROOT,
      configFile: false,
      logLevel: 'silent',
      plugins: [
        {
          name: 'program',
          resolveId: (id) => (id === 'program' ? join(ROOT, 'program.js') : undefined),
          load: (id) => (id === join(ROOT, 'program.js') ? program : undefined),
        },
      ],
      build: {
        write: false,
        minify: false,
        rolldownOptions: { input: 'program', onLog: (_level, log) => warnings.push(log.message) },
      },
    });
    const chunks = [result].flat().flatMap((made) => ('output' in made ? made.output : []));
    expect(warnings).toEqual([]);
    expect(chunks.map((chunk) => (chunk.type === 'chunk' ? chunk.imports : chunk.fileName))).toEqual([[]]);
    expect(chunks[0]).toHaveProperty('code', expect.stringContaining('class '));
    expect(chunks[0]).not.toHaveProperty('code', expect.stringMatching(/node:|__vite-browser-external/));
  });
});

/** The names that a source file exports as its own, types and values. */
function ownExports(file: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
  return statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement)) return [];
    if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    const named = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
    return [...named].flatMap((node) =>
      'name' in node && ts.isIdentifier(node.name as ts.Node) ? [(node.name as ts.Identifier).text] : [],
    );
  });
}

it('an exported name stands for one thing', () => {
  const files = ['hw', 'src', 'bench', 'web'].flatMap((folder) =>
    // Those of WebAssembly are another program.
    ts.sys.readDirectory(join(ROOT, folder), ['.ts'], ['**/hot/source'], undefined),
  );
  const homes = new Map<string, Set<string>>();
  for (const file of files) {
    for (const name of ownExports(file)) homes.set(name, (homes.get(name) ?? new Set()).add(file.slice(ROOT.length)));
  }
  expect(homes.size).toBeGreaterThan(1000);
  expect([...homes].filter(([, where]) => where.size > 1).map(([name, where]) => [name, ...where])).toEqual([]);
});
