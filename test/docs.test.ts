import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OBSTACLES } from '../src/regions/backing.js';

const ROOT = new URL('..', import.meta.url).pathname;

/** Every file below these folders, built and installed ones apart. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
}

const SOURCES = ['hw', 'src', 'web', 'docs', 'test', 'bench', 'examples'].flatMap(filesBelow);
const PAGES = [...readdirSync(ROOT), ...SOURCES].filter((path) => path.endsWith('.md'));

const COMMENTS = /\/\*[^]*?\*\//g;
/** The texts of the library's files. */
const CODE = SOURCES.filter((path) => /^(hw|src)\/.*\.ts$/.test(path)).map((path) =>
  readFileSync(join(ROOT, path), 'utf8'),
);

/** The text of a page without its code blocks. */
function proseOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8').replace(/^```[^]*?^```/gm, '');
}

/** The name by which GitHub and typedoc find a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

/** What is wrong with a link on a page; undefined when it leads somewhere. */
function problemWith(page: string, link: string): string | undefined {
  const [path, ...anchors] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return `${page}: ${link} leads to no file`;
  if (anchors.length === 0) return undefined;
  const headings = [...proseOf(target).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));
  return anchors.every((anchor) => headings.includes(anchor)) ? undefined : `${page}: ${link} leads to no heading`;
}

it('every relative link of every page leads to a file, and to a heading of it', () => {
  const problems = PAGES.flatMap((page) =>
    [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .map((link) => problemWith(page, link)),
  ).filter((problem) => problem !== undefined);
  expect(PAGES).toContain('README.md');
  expect(problems).toEqual([]);
});

describe.each(['docs/architecture.md', 'src/kernel/README.md', 'docs/add-a-reader.md'])('%s', (page) => {
  const code = CODE.map((text) => text.replace(COMMENTS, '')).join('\n');
  const functions = new Set([...code.matchAll(/(\w+)(?:<[^<>()]*>)?(?:\(| = \()/g)].map(([, name]) => name));
  const owners = new Set([...code.matchAll(/(?:class|interface) (\w+)/g)].map(([, name]) => name));

  it('names functions that the sources have', () => {
    const calls = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/[\w.]*\w\(\)/g)].map(([call]) => call);
    const missing = calls.filter((call) => {
      const names = call.replace('()', '').split('.');
      return !functions.has(names[names.length - 1]) || !names.slice(0, -1).every((owner) => owners.has(owner));
    });
    expect(calls.length).toBeGreaterThan(2);
    expect(missing).toEqual([]);
  });
});

it('every file that a comment names is there', () => {
  // A student's project has the handler.
  const files = new Set(['handler.ts', ...SOURCES.map((path) => basename(path))]);
  const comments = CODE.flatMap((text) => text.match(COMMENTS) ?? []).join('\n');
  const named = new Set(comments.match(/[\w-]+\.ts\b/g));
  expect(named.size).toBeGreaterThan(20);
  expect([...named].filter((name) => !files.has(name))).toEqual([]);
});

it('the rooms of the architecture page are the folders that there are', () => {
  const [, diagram] = /^```\n([^]*?)^```/m.exec(readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8'))!;
  const named = new Set(diagram.match(/[\w/]+/g)!.flatMap((word) => word.split('/')));
  const rooms = ['src', 'src/kernel', 'src/compare', 'src/conformance', 'src/report', 'src/host', 'hw', 'hw/translate']
    .flatMap((folder) => readdirSync(join(ROOT, folder), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(rooms.length).toBeGreaterThan(40);
  expect(rooms.filter((room) => !named.has(room))).toEqual([]);
});

it('the page on live processes explains every cause that a table can name, and no other', () => {
  const page = readFileSync(join(ROOT, 'docs/live-processes.md'), 'utf8');
  const explained = [...page.matchAll(/^\| `([a-z ]+)` /gm)].map(([, cause]) => cause);
  expect(explained.toSorted()).toEqual(
    Object.values(OBSTACLES)
      .map(({ short }) => short)
      .toSorted(),
  );
});
