import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../folder.js';
import { printed } from './examples.js';

const PAGE = readFileSync(new URL('../../../docs/toy-machine.md', import.meta.url), 'utf8');

/** The commands of the page with the lines shown below each. */
const COMMANDS = [...PAGE.matchAll(/^```console\n([^]*?)^```/gm)]
  .flatMap(([, block]) => block.split(/^\$ /m).filter((text) => text !== ''))
  .map((text): [command: string, lines: string[]] => {
    const [command, ...lines] = text.trimEnd().split('\n');
    return [command, lines];
  });

test('the page has commands, each with an answer', () => {
  expect(COMMANDS.length).toBeGreaterThan(12);
  expect(COMMANDS.filter(([, lines]) => lines.length === 0)).toEqual([]);
});

test.each(COMMANDS)('%s', async (command, lines) => {
  const input = /^echo '(.*)' \| /.exec(command)?.[1];
  const [, words] = /pagewalk (.*)$/.exec(command)!;
  const file = join(temporaryFolder(), 'given.json');
  if (input !== undefined) writeFileSync(file, input);
  const output = await printed(words.split(' ').map((word) => (word === '-' ? file : word)));
  for (const line of lines) expect(`\n${output}`).toContain(`\n${line}`);
});
