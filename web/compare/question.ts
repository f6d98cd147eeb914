/** The question to the compare view: a program, page sizes and TLBs; in the form, and in a link. */

import { parseTlb } from '../../hw/tlb/parse.js';
import pythonAddress from '../../src/trace/shipped/python.pwt?url';
import sortAddress from '../../src/trace/shipped/sort.pwt?url';
import type { Settings } from '../story/view.js';
import type { CompareTask } from './messages.js';
import { OPENING } from './opening.js';

const SHIPPED: Readonly<Record<string, string>> = { python: pythonAddress, sort: sortAddress };
export const GENERATED = 'uniform';
export const DROPPED = 'dropped';
export const PAGES = OPENING.pages;
/** Nobody reads plots of more shapes at once. */
export const MOST_TLBS = 3;

const DEFAULTS = { source: OPENING.source as string, tlb: OPENING.tlb as string, pages: PAGES.join(',') };

export class Question {
  source = DEFAULTS.source;
  tlbs: readonly string[] = [DEFAULTS.tlb];
  pages: readonly string[] = PAGES;
  file: File | null = null;
  /** The file named by a link, and not opened here yet. */
  missing = '';
  /** The link asks for the result, not only for the question. */
  wanted = false;

  /** @throws RangeError with a sentence for impossible settings; nothing has changed then. */
  read(settings: Readonly<Partial<Record<string, string>>>): void {
    const { source, tlb = DEFAULTS.tlb, pages = DEFAULTS.pages, file, run, ...others } = settings;
    const unknown = Object.keys(others).at(0);
    if (unknown !== undefined) throw new RangeError(`this view has no setting '${unknown}'`);
    const known = [...Object.keys(SHIPPED), GENERATED];
    if (source !== undefined && !known.includes(source)) {
      throw new RangeError(`source '${source}' cannot be linked to; choose from ${known.join(', ')}`);
    }
    const tlbs = checkTlbs(namesIn(tlb));
    this.pages = checkPages(pages.split(','));
    this.tlbs = tlbs;
    this.wanted = run === '1';
    if (file !== undefined) this.#ask(file);
    else this.source = source ?? DEFAULTS.source;
  }

  /** A file stays on its machine, so a link has its name alone: the same one may be open here already. */
  #ask(name: string): void {
    this.source = DROPPED;
    this.wanted = false;
    if (this.file?.name === name) return;
    this.file = null;
    this.missing = name;
  }

  take(file: File): void {
    this.file = file;
    this.missing = '';
    this.source = DROPPED;
  }

  /** The file was no recording: another program takes its place. */
  giveUp(): void {
    if (this.source === DROPPED) this.source = DEFAULTS.source;
  }

  /** The settings other than the defaults. */
  settings(answered: boolean): Settings {
    const dropped = this.source === DROPPED;
    const words = {
      ...(dropped ? { file: this.file?.name ?? this.missing } : { source: this.source }),
      tlb: this.tlbs.join(' '),
      pages: this.pages.join(','),
      ...(answered && !dropped ? { run: '1' } : {}),
    };
    const usual: Settings = DEFAULTS;
    return Object.fromEntries(Object.entries(words).filter(([name, value]) => usual[name] !== value));
  }

  /** The opening question, whose answer came with the page. */
  get isOpening(): boolean {
    return Object.keys(this.settings(false)).length === 0;
  }

  /** @throws RangeError with a sentence for an impossible comparison */
  task(): CompareTask {
    const tlbs = checkTlbs(this.tlbs.filter((name) => name !== ''));
    const common = { tlbs, pages: checkPages(this.pages) };
    if (this.source === GENERATED) return { recording: null, ...common };
    if (this.source !== DROPPED) {
      const data = new URL(SHIPPED[this.source], location.href).href;
      return { recording: { name: this.source, data }, ...common };
    }
    if (this.file === null) throw new RangeError(`open ${this.missing} again first: drop it here, or choose it below`);
    return { recording: { name: this.file.name, data: this.file }, ...common };
  }
}

/** Arrays of one level are parted by commas too, so shapes are parted by blanks or semicolons. */
function namesIn(text: string): string[] {
  return text.split(/[\s;]+/).filter((name) => name !== '');
}

/** @throws RangeError for impossible shapes, or too many. */
function checkTlbs(given: readonly string[]): string[] {
  const names = given.flatMap(namesIn);
  if (names.length < 1 || names.length > MOST_TLBS) {
    throw new RangeError(
      `TLBs '${names.join(' ')}': give 1 to ${MOST_TLBS} shapes, such as skylake, zen4 or 64x4+1536x12`,
    );
  }
  for (const name of names) parseTlb(name);
  return names;
}

function checkPages(names: readonly string[]): string[] {
  const known = PAGES.filter((name) => names.includes(name));
  if (known.length > 0 && known.length === new Set(names).size) return known;
  throw new RangeError(`pages '${names.join(',')}': choose at least one of ${PAGES.join(', ')}`);
}
