/** Lines from every entry to its memory, drawn over the board once it is laid out. */

const SVG = 'http://www.w3.org/2000/svg';

export function drawLinks(board: HTMLElement): void {
  const svg = board.querySelector('.links');
  // Narrow pages stack the parts of the board, and have the map instead.
  if (svg === null || getComputedStyle(svg).display === 'none') return;
  const frame = board.getBoundingClientRect();
  svg.setAttribute('viewBox', `0 0 ${frame.width} ${frame.height}`);
  svg.setAttribute('width', String(frame.width));
  svg.setAttribute('height', String(frame.height));
  svg.replaceChildren(...paths(board, frame));
}

function paths(board: HTMLElement, frame: DOMRect): Element[] {
  const rows = [...board.querySelectorAll<HTMLElement>('[data-to]')];
  return rows.flatMap((row) => {
    const piece = board.querySelector(`[data-piece="${CSS.escape(row.dataset.to ?? '')}"]`);
    return piece === null ? [] : [path(row, piece, frame)];
  });
}

/** Between the two facing sides of row and memory. */
function path(row: HTMLElement, piece: Element, frame: DOMRect): Element {
  const from = row.getBoundingClientRect();
  const to = piece.getBoundingClientRect();
  const leftwards = from.left > to.left;
  const x1 = (leftwards ? from.left : from.right) - frame.left;
  const x2 = (leftwards ? to.right : to.left) - frame.left;
  const y1 = (from.top + from.bottom) / 2 - frame.top;
  const y2 = (to.top + to.bottom) / 2 - frame.top;
  const middle = (x1 + x2) / 2;
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`);
  const owner = row.closest('.process');
  line.setAttribute('class', `${owner?.className ?? ''} ${row.className}`);
  return line;
}
