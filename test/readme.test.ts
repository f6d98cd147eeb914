import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { CLI_PATH } from './src/cli/run-cli.js';

const ROOT = new URL('..', import.meta.url).pathname;
const FILES = ['README.md', 'src/lab/README.md'];
const run = promisify(execFile);

/** Host time differs from run to run and spaces at line ends are not kept in Markdown; nothing else may differ. */
function comparable(text: string): string {
  return text
    .replace(/\nHost time[^]*?\.(?=\n|$)/g, '')
    .replace(/[ \t]+$/gm, '')
    .trim();
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Each `$ npx pagewalk …` line of a README with what follows it up to the next one. */
function commands(file: string): { command: string; output: string }[] {
  return [...textOf(file).matchAll(/```console\n([^]*?)```/g)].flatMap(([, block]) =>
    [...block.matchAll(/^\$ npx (pagewalk.*)\n([^]*?)(?=^\$|$(?![^]))/gm)].map(([, command, output]) => ({
      command,
      output,
    })),
  );
}

/** Each program of a README with the output that stands under it. */
function programs(file: string): { program: string; output: string }[] {
  const blocks = textOf(file).matchAll(/```js\n([^]*?)```[^]*?```text\n([^]*?)```/g);
  return [...blocks].map(([, program, output]) => ({ program, output }));
}

describe.each(FILES)('%s', (file) => {
  it.each(commands(file).map(({ command, output }) => [command, output]))(
    '%s prints what it says',
    async (command, output) => {
      const shown = command.replace(/^pagewalk/, `node ${CLI_PATH}`);
      const { stdout } = await run('sh', ['-c', shown], {
        cwd: ROOT,
        env: { ...process.env, COLUMNS: '80' },
      });
      expect(comparable(stdout)).toContain(comparable(output));
    },
  );

  it.each(programs(file).map(({ program, output }, i) => [i + 1, program, output] as const))(
    'program %i prints what it says',
    async (_number, program, output) => {
      // Inside the package, where its own name resolves as it does for a user who has installed it.
      const script = join(ROOT, 'dist', `readme-${process.pid}.mjs`);
      writeFileSync(script, program);
      try {
        const { stdout } = await run('node', [script]);
        expect(comparable(stdout)).toBe(comparable(output));
      } finally {
        rmSync(script);
      }
    },
  );
});

describe('the programs', () => {
  // Under dist/, where the package's own name resolves, as a user of TypeScript would type them.
  const files = FILES.flatMap((file) =>
    programs(file).map(({ program }, i) => [`${file}-${i + 1}.mts`, program] as const),
  );
  const inside = new Map(files.map(([name, program]) => [join(ROOT, 'dist', name.replaceAll('/', '-')), program]));

  /** The library's declarations, which take longer to read than a program; they are read once. */
  const declarations = new Map<string, ts.SourceFile | undefined>();

  function mistakes(texts: ReadonlyMap<string, string>): string[] {
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      skipLibCheck: true,
      types: ['node'],
    };
    const disk = ts.createCompilerHost(options);
    const host: ts.CompilerHost = {
      ...disk,
      fileExists: (name) => texts.has(name) || disk.fileExists(name),
      readFile: (name) => texts.get(name) ?? disk.readFile(name),
      getSourceFile: (name, language) => {
        const text = texts.get(name);
        if (text !== undefined) return ts.createSourceFile(name, text, language);
        if (!declarations.has(name)) declarations.set(name, disk.getSourceFile(name, language));
        return declarations.get(name);
      },
    };
    const program = ts.createProgram([...texts.keys()], options, host);
    return ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  }

  it('are what TypeScript takes for right', () => {
    expect(inside.size).toBeGreaterThan(1);
    expect(mistakes(inside)).toEqual([]);
  });

  it('would be refused with a kind of file that there is not', () => {
    const wrong = [...inside].map(([name, program]) => [name, program.replace("'disk'", "'file'")] as const);
    expect(mistakes(new Map(wrong))).toEqual([expect.stringContaining('\'"file"\' is not assignable')]);
  });
});
