/** The line above a view about its tour: what it shows, how far it is, and the way back to it after a digression. */

import { html, nothing, type TemplateResult } from 'lit';
import type { View } from './view.js';

/** @param go starts the tour, or takes it up again */
export function tourBar({ tourIs, history }: View, go: () => void): TemplateResult | typeof nothing {
  if (tourIs === '' || history === null) return nothing;
  const { tour, events, position, atEnd } = history;
  const all = tour?.events.length ?? events.length;
  const at = tour?.at.events ?? position.events;
  const place = `${at} of ${all}`;
  const [words, button] =
    tour !== null
      ? [html`You left the tour at event ${place}; it waits there.`, 'Resume the tour']
      : at <= 1
        ? [html`<b>${tourIs}</b>`, 'Start the tour']
        : [html`Event ${place} of the tour.`, atEnd ? 'Start the tour again' : 'Start over'];
  return html`<section class="tour" aria-label="Tour">
    <p>${words}</p>
    <ol class="places" aria-hidden="true">
      ${Array.from({ length: all }, (_, i) => html`<li class=${i < at ? 'done' : ''}></li>`)}
    </ol>
    <button data-do="tour" class=${tour !== null || at <= 1 ? 'main' : ''} @click=${go}>${button}</button>
  </section>`;
}
