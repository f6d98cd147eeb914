/** Arrows of a walk: from each part of the address to the entry it chose, and from an entry to the next table. */

const SVG = 'http://www.w3.org/2000/svg';
/** Pixels of an arrow's head, and between the arrows from the address. */
const HEAD = 6;
const LANE = 5;

/** Draws them once the walk is laid out; narrow pages have the entries below each other, and no arrows. */
export function drawArrows(drawing: HTMLElement): void {
  const svg = drawing.querySelector('.arrows');
  if (svg === null || getComputedStyle(svg).display === 'none') return;
  const frame = drawing.getBoundingClientRect();
  svg.setAttribute('viewBox', `0 0 ${frame.width} ${frame.height}`);
  svg.setAttribute('width', String(frame.width));
  svg.setAttribute('height', String(frame.height));
  const cards = [...drawing.querySelectorAll<HTMLElement>('.level:not(.later)')];
  svg.replaceChildren(
    ...cards.flatMap((card, i) => [...indexArrow(drawing, card, frame), ...tableArrow(card, cards.at(i + 1), frame)]),
  );
}

/** Down from the index in the address to the entry. */
function indexArrow(drawing: HTMLElement, card: HTMLElement, frame: DOMRect): Element[] {
  const level = card.dataset.level ?? '';
  const field = drawing.querySelector(`.field.level-${level}`);
  if (field === null) return [];
  const from = field.getBoundingClientRect();
  const to = card.getBoundingClientRect();
  const [x1, y1] = [(from.left + from.right) / 2 - frame.left, from.bottom - frame.top];
  // Past the words above the entries, which begin at the left.
  const [x2, y2] = [to.left + 0.9 * to.width - frame.left, to.top - frame.top];
  const lane = y1 + LANE * (1 + Number(level));
  const line = `M${x1} ${y1} V${lane} H${x2} V${y2 - HEAD}`;
  return [path(level, line, `M${x2 - HEAD} ${y2 - HEAD} l${HEAD} ${HEAD} l${HEAD} ${-HEAD} z`)];
}

/** Across to the table that the entry leads to. */
function tableArrow(card: HTMLElement, next: HTMLElement | undefined, frame: DOMRect): Element[] {
  if (next === undefined) return [];
  const from = card.getBoundingClientRect();
  const to = next.getBoundingClientRect();
  if (to.left <= from.left) return [];
  const y = from.top + 0.75 * Math.min(from.height, to.height) - frame.top;
  const [x1, x2] = [from.right - frame.left - HEAD, to.left - frame.left + HEAD];
  const line = `M${x1} ${y} H${x2 - HEAD}`;
  return [path(card.dataset.level ?? '', line, `M${x2 - HEAD} ${y - HEAD} l${HEAD} ${HEAD} l${-HEAD} ${HEAD} z`)];
}

function path(level: string, line: string, head: string): Element {
  const drawn = document.createElementNS(SVG, 'path');
  drawn.setAttribute('d', `${line} ${head}`);
  drawn.setAttribute('class', `level-${level}`);
  return drawn;
}
