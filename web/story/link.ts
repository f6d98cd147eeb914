/**
 * A moment of the page as the fragment of its address: `#translate?mode=4l&do=read.0x1000&at=1.3`. A branch off a tour
 * adds its own events and position, which go on from `at`: `&try=flip.0.1&then=1.1`.
 */

import type { Position, Tour } from './history.js';

/** The contents of a link. */
export interface Moment {
  readonly view: string;
  /** Settings of the view. */
  readonly settings: Readonly<Record<string, string>>;
  /** Undefined: the view's own story. */
  readonly events: readonly string[] | undefined;
  readonly at: Position | undefined;
  /** What the events branch off from, if they do. */
  readonly tour?: Tour;
}

const RESERVED = ['do', 'at', 'try', 'then'];
/** Longer fragments than this are not taken apart: a machine's state has room. */
const MOST_CHARACTERS = 200_000;
/** `#state=…` is the translate view with a machine of one's own. */
const STATE = /^#?(?=state=)/;

export function writeLink({ view, settings, events, at, tour }: Moment): string {
  const parts = Object.entries(settings).map(([name, value]) => [name, value] as const);
  const story = tour ?? { events, at };
  if (story.events !== undefined) parts.push(['do', story.events.join(' ')]);
  if (story.at !== undefined) parts.push(['at', writePosition(story.at)]);
  if (tour !== undefined && events !== undefined && at !== undefined) {
    parts.push(['try', events.slice(tour.at.events).join(' ')]);
    parts.push(['then', writePosition({ ...at, events: at.events - tour.at.events })]);
  }
  const query = new URLSearchParams(parts.map(([name, value]) => [name, value])).toString();
  return `#${view}${query === '' ? '' : `?${query}`}`;
}

/** @throws RangeError with a sentence for a fragment from elsewhere. */
export function readLink(fragment: string): Moment {
  if (fragment.length > MOST_CHARACTERS) throw new RangeError(`a link of ${fragment.length} characters is too long`);
  const [view = '', query = ''] = fragment
    .replace(STATE, '#translate?')
    .replace(/^#/, '')
    .split(/\?(.*)/s);
  const words = new URLSearchParams(query);
  const settings = Object.fromEntries([...words].filter(([name]) => !RESERVED.includes(name)));
  const listed = (name: string): string[] | undefined =>
    words
      .get(name)
      ?.split(' ')
      .filter((event) => event !== '');
  const events = listed('do');
  const at = readPosition(words.get('at'));
  const branch = listed('try');
  if (branch === undefined) return { view, settings, events, at };
  if (events === undefined || at === undefined) throw new RangeError("a link's 'try' needs the tour that it leaves");
  const then = readPosition(words.get('then')) ?? { events: branch.length, stage: Infinity };
  return {
    view,
    settings,
    events: [...events.slice(0, at.events), ...branch],
    at: { events: at.events + then.events, stage: then.stage },
    tour: { events, at },
  };
}

function writePosition({ events, stage }: Position): string {
  return `${events}.${stage}`;
}

function readPosition(text: string | null): Position | undefined {
  if (text === null) return undefined;
  const match = /^(\d{1,4})\.(\d{1,4})$/.exec(text);
  if (match === null) throw new RangeError(`the link's moment '${text}' must be two numbers such as 3.1`);
  return { events: Number(match[1]), stage: Number(match[2]) };
}
