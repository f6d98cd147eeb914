/** The drawing on the page as a file of its own: an SVG with the page's style, for slides and papers. */

import { themeNow } from './theme.js';

/** The rules of the page, in the colours of the moment. */
function rules(): string {
  return [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].map(({ cssText }) => cssText)).join('\n');
}

/** An SVG of the element as it is drawn now; its text stays text. */
export function svgOf(element: HTMLElement): string {
  const { width, height } = element.getBoundingClientRect();
  const copy = document.createElement('div');
  copy.style.cssText = `width:${width}px;color-scheme:${themeNow()}`;
  copy.className = 'exported';
  copy.append(element.cloneNode(true));
  for (const control of copy.querySelectorAll('.controls, .tour, .unseen, .fold, .registers, .aside')) control.remove();
  const style = `<style>${rules()
    .replaceAll(':root', '.exported')
    .replaceAll(/[<&]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</style>`;
  const body = new XMLSerializer().serializeToString(copy).replaceAll(/<!--[^]*?-->/g, '');
  const size = `width="${Math.ceil(width)}" height="${Math.ceil(height)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${style}<foreignObject ${size}>${body}</foreignObject></svg>\n`;
}

/** Lets the browser save text under a name. */
export function saveText(name: string, type: string, text: string): void {
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.click();
  URL.revokeObjectURL(link.href);
}
