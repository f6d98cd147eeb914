/** Text in lines. */

/** Columns of a terminal. */
export const WIDTH = 80;

/**
 * Breaks `text` between words so that no line is longer than `width`; later lines start with `indent`. Text that fits,
 * and spaces before the first word, stay as they are.
 */
export function wrap(text: string, indent = '', width = WIDTH): string {
  if (text.length <= width) return text;
  const [start] = /^ */.exec(text) ?? [''];
  const [first, ...words] = text.slice(start.length).split(' ');
  const lines: string[] = [];
  let line = start + first;
  for (const word of words) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
