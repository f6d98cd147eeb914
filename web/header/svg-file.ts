/** The drawing on the page as a file of its own: an SVG with the page's style, for slides and papers. */

import { themeNow } from './theme.js';

/** Parts that a drawing on paper has no use for. */
const CONTROLS =
  '.controls, .tour, .unseen, .fold, .registers, .aside, .tlbs > .row, article.process .row, .strip h2 small';

/** The rules of the page as they are written: the browser's own text of a rule loses what names stand for. */
async function rules(): Promise<string> {
  const sheets = [...document.styleSheets].flatMap(({ href }) => href ?? []);
  return (await Promise.all(sheets.map(async (href) => (await fetch(href)).text()))).join('\n');
}

/** An SVG of the element as it is drawn now; its text stays text. */
export async function svgOf(element: HTMLElement): Promise<string> {
  const { width, height } = element.getBoundingClientRect();
  // Distances count in the size of the root, which is the SVG there.
  const { fontSize } = getComputedStyle(document.documentElement);
  const copy = document.createElement('div');
  copy.style.cssText = `width:${width}px;font-size:${fontSize};color-scheme:${themeNow()}`;
  copy.className = 'exported';
  copy.append(element.cloneNode(true));
  for (const control of copy.querySelectorAll(CONTROLS)) control.remove();
  const style = `<style>${(await rules())
    .replaceAll(':root', '.exported')
    .replaceAll(/[<&]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</style>`;
  const body = new XMLSerializer().serializeToString(copy).replaceAll(/<!--[^]*?-->/g, '');
  const size = `width="${Math.ceil(width)}" height="${Math.ceil(height)}"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size} style="font-size:${fontSize}">`;
  return `${svg}${style}<foreignObject ${size}>${body}</foreignObject></svg>\n`;
}

/** Lets the browser save text under a name. */
export function saveText(name: string, type: string, text: string): void {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.click();
  URL.revokeObjectURL(link.href);
}
