/** A moment of the page as the fragment of its address: `#translate?mode=4l&do=read.0x1000&at=1.3`. */

import type { Position } from './history.js';

/** The contents of a link. */
export interface Moment {
  readonly view: string;
  /** Settings of the view. */
  readonly settings: Readonly<Record<string, string>>;
  /** Undefined: the view's own story. */
  readonly events: readonly string[] | undefined;
  readonly at: Position | undefined;
}

const RESERVED = ['do', 'at'];
/** Longer fragments than this are not taken apart. */
const MOST_CHARACTERS = 20_000;

export function writeLink({ view, settings, events, at }: Moment): string {
  const parts = Object.entries(settings).map(([name, value]) => [name, value] as const);
  if (events !== undefined) parts.push(['do', events.join(' ')]);
  if (at !== undefined) parts.push(['at', `${at.events}.${at.stage}`]);
  const query = new URLSearchParams(parts.map(([name, value]) => [name, value])).toString();
  return `#${view}${query === '' ? '' : `?${query}`}`;
}

/** @throws RangeError with a sentence for a fragment from elsewhere. */
export function readLink(fragment: string): Moment {
  if (fragment.length > MOST_CHARACTERS) throw new RangeError(`a link of ${fragment.length} characters is too long`);
  const [view = '', query = ''] = fragment.replace(/^#/, '').split(/\?(.*)/s);
  const words = new URLSearchParams(query);
  const settings = Object.fromEntries([...words].filter(([name]) => !RESERVED.includes(name)));
  const events = words
    .get('do')
    ?.split(' ')
    .filter((event) => event !== '');
  return { view, settings, events, at: readPosition(words.get('at')) };
}

function readPosition(text: string | null): Position | undefined {
  if (text === null) return undefined;
  const match = /^(\d{1,4})\.(\d{1,4})$/.exec(text);
  if (match === null) throw new RangeError(`the link's moment '${text}' must be two numbers such as 3.1`);
  return { events: Number(match[1]), stage: Number(match[2]) };
}
