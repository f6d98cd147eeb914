/** Text from outside (names of files, commands and mappings, values that are wrong) on its way to a terminal. */

/** Control characters, line and paragraph separators, and marks for the direction of writing. */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
/** The most characters of a value quoted by an error. */
const MOST_QUOTED = 80;
/**
 * A longer quotation. Its first quote follows a space or a bracket; an apostrophe never does. An apostrophe within it
 * stands between letters; its last quote never does.
 */
const LONG_QUOTATION = new RegExp(`(?<=^|[\\s(])'((?:[^']|(?<=\\w)'(?=\\w)){${MOST_QUOTED + 1},})'`, 'gu');

/** Hidden characters as `\x1b` or `\u202e`, so that no terminal obeys them. */
export function printableText(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

/** The same for text of several lines; they stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printableText).join('\n');
}

/** A result with all of its texts printable: every view for a terminal, and every plot, is made from it. */
export function printable<T>(value: T): T {
  if (typeof value === 'string') return printableText(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(printable) as T;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, printable<unknown>(field)])) as T;
}

/** JSON text with hidden characters escaped, of the same meaning; line breaks between its fields stay. */
export function printableJson(json: string): string {
  return json.replace(HIDDEN, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Its beginning and end when a value is longer than 80 characters. */
export function shortened(value: string): string {
  const half = MOST_QUOTED / 2;
  return value.length > MOST_QUOTED ? `${value.slice(0, half)}…${value.slice(1 - half)}` : value;
}

/** An error's words as a terminal may have them: one line, nothing hidden, and quotations of at most 80 characters. */
export function errorText(message: string): string {
  return printableText(message).replace(LONG_QUOTATION, (_, value: string) => `'${shortened(value)}'`);
}
