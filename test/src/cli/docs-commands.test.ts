import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { printed } from './examples.js';

/** A command of a page, and the lines shown below it. */
type Shown = readonly [command: string, lines: readonly string[]];

/** The commands of a page; and its files: a block of JSON has the name that the words before it give. */
function read(page: string): { commands: Shown[]; files: Map<string, string> } {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const commands: Shown[] = [];
  const files = new Map<string, string>();
  const names: string[] = [];
  for (const [all, language, block, name] of text.matchAll(/^```(\w+)\n([^]*?)^```|as\s+`([\w-]+\.json)`/gm)) {
    if (name) names.push(name);
    else if (language === 'json') files.set(names.shift()!, block);
    else for (const piece of all.split(/^\$ /m).slice(1)) commands.push(shown(piece.replace(/```$/, '')));
  }
  return { commands, files };
}

function shown(piece: string): Shown {
  const [command, ...lines] = piece.trimEnd().split('\n');
  return [command, lines];
}

describe.each(['toy-machine.md', 'exercises.md'])('%s', (page) => {
  const { commands, files } = read(page);

  it('has commands, each with an answer', () => {
    expect(commands.length).toBeGreaterThan(1);
    expect(commands.filter(([, lines]) => lines.length === 0)).toEqual([]);
  });

  it.each(commands)('%s', async (command, lines) => {
    const input = /^echo '(.*)' \| /.exec(command)?.[1];
    const [, words] = /pagewalk (.*)$/.exec(command)!;
    const folder = temporaryFolder();
    const place = (name: string, content: string): string => {
      const file = join(folder, name);
      writeFileSync(file, content);
      return file;
    };
    const output = await printed(
      words.split(' ').map((word) => {
        if (word === '-') return place('given.json', input!);
        return files.has(word) ? place(word, files.get(word)!) : word;
      }),
    );
    for (const line of lines) expect(`\n${output}`).toContain(`\n${line}`);
  });
});

test('the exercises of others are all there, each with its source', () => {
  const page = readFileSync(new URL('../../../docs/exercises.md', import.meta.url), 'utf8');
  const sources = ['CS 105', 'CS 61', 'CS 418', 'GATE CS 2003', 'MIT', 'relocation.py', 'segmentation.py'];
  const scripts = ['paging-linear-translate.py', 'paging-multilevel-translate.py', 'paging-policy.py', 'malloc.py'];
  expect([...sources, ...scripts].filter((source) => !page.includes(source))).toEqual([]);
});
