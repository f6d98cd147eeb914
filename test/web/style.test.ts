import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = `${ROOT}web/style/`;
const FILES = readdirSync(FOLDER);
const BASE = readFileSync(`${FOLDER}base.css`, 'utf8');
const DESIGN = readFileSync(`${ROOT}docs/page-design.md`, 'utf8');

/** Values of a property in a style sheet, with those of its longer names: `padding` with `padding-left`. */
function valuesOf(css: string, property: string): string[] {
  const found = css.matchAll(new RegExp(`(?<![\\w-])(?:${property})(?:-(?:top|right|bottom|left))?:\\s*([^;]+);`, 'g'));
  return [...found].map(([, value]) => value);
}

/** The names of the system, with their values. */
const NAMES = new Map([...BASE.matchAll(/^ {2}(--[\w-]+): ([^;]+);/gm)].map(([, name, value]) => [name, value]));

/** Every custom property that some file gives a value. */
const DEFINED = new Set(
  FILES.flatMap((file) => [...readFileSync(FOLDER + file, 'utf8').matchAll(/(--[\w-]+):/g)].map(([, name]) => name)),
);

describe.each(FILES)('web/style/%s', (file) => {
  const css = readFileSync(FOLDER + file, 'utf8');

  it('takes sizes of type, distances and colours from the system alone', () => {
    const root = file === 'lecture.css' ? ['clamp('] : [];
    const sizes = valuesOf(css, 'font-size').filter(
      (value) => ![...root, 'var(--type-'].some((start) => value.startsWith(start)),
    );
    const gaps = valuesOf(css, 'padding|margin|gap|column-gap').flatMap((value) => value.split(/\s+(?![^(]*\))/));
    const odd = gaps.filter((value) => !/^(?:0|auto|-?var\(--(?:gap-[1-6]|lane)\))$/.test(value));
    const colours =
      file === 'base.css' ? [] : [...css.matchAll(/#[\da-f]{3,8}\b|\brgba?\(|\bhsla?\(/gi)].map(([colour]) => colour);
    expect({ sizes, odd, colours }).toEqual({ sizes: [], odd: [], colours: [] });
  });

  it('is part of the page, and names nothing that is not there', () => {
    expect(readFileSync(`${ROOT}web/style.css`, 'utf8')).toContain(`./style/${file}`);
    const used = [...css.matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name);
    expect(used.filter((name) => !DEFINED.has(name))).toEqual([]);
  });
});

it('docs/page-design.md has each name of the system, with the values that it gives', () => {
  const missing = [...NAMES.keys()].filter((name) => {
    const row = name.replace(/-[1-6]$/, '-1');
    return !DESIGN.includes(`\`${row}\``) && !DESIGN.includes(`\`${name}\``);
  });
  expect(missing).toEqual([]);
  for (const [name, value] of NAMES) {
    if (/^--type-[1-5]$/.test(name)) expect(DESIGN).toContain(`\`${name}\` | ${value.replace('rem', ' rem')}`);
    if (/^--gap-[1-6]$/.test(name)) expect(DESIGN).toContain(value.replace('rem', ''));
  }
});

/** Relative luminance. Source: WCAG 2.2, "relative luminance". */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

it.each(['light', 'dark'])('every colour of words can be read on both grounds: %s', (theme) => {
  const of = (name: string): string =>
    /light-dark\((#\w{6}), (#\w{6})\)/.exec(NAMES.get(name) ?? '')![theme === 'light' ? 1 : 2];
  const words = [...NAMES.keys()].filter((name) => /^--(text|quiet|main|good|bad|wait|series-\d)$/.test(name));
  expect(words).toHaveLength(12);
  for (const name of words) {
    for (const ground of ['--back', '--card']) {
      const [dark, light] = [luminance(of(name)), luminance(of(ground))].sort((a, b) => a - b);
      expect([name, ground, (light + 0.05) / (dark + 0.05) >= 4.5]).toEqual([name, ground, true]);
    }
  }
});
