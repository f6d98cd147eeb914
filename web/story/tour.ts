/** The line above a view about its tour: what it shows, how far it is, and the way back to it after a digression. */

import { html, nothing, type TemplateResult } from 'lit';
import type { View } from './view.js';

/** Whether the events are those of the tour, and not of a link or of somebody's own. */
export function isOnTour({ history, tour }: View): boolean {
  const events = history?.tour?.events ?? history?.events ?? [];
  return events.length === tour.length && events.every((words, i) => words === tour[i]);
}

/** @param go starts the tour, or takes it up again */
export function tourBar(view: View, go: () => void): TemplateResult | typeof nothing {
  const { tourIs, history } = view;
  if (tourIs === '' || history === null) return nothing;
  const { tour, events, position, atEnd } = history;
  const own = isOnTour(view);
  const all = tour?.events.length ?? events.length;
  const at = tour?.at.events ?? position.events;
  const place = `${at} of ${all}`;
  const story = own ? 'tour' : 'story';
  const [words, button] =
    tour !== null
      ? [html`You left the ${story} at event ${place}; it waits there.`, `Resume the ${story}`]
      : own && at <= 1
        ? [html`<b>${tourIs}</b>`, 'Start the tour']
        : [
            html`Event ${place}${own ? ' of the tour' : ''}.`,
            own ? (atEnd ? 'Start the tour again' : 'Start over') : 'Start the tour',
          ];
  return html`<section class="tour" aria-label="Tour">
    <p>${words}</p>
    <ol class="places" aria-hidden="true">
      ${Array.from({ length: all }, (_, i) => html`<li class=${i < at ? 'done' : ''}></li>`)}
    </ol>
    <button data-do="tour" class=${tour !== null || at <= 1 ? 'main' : ''} @click=${go}>${button}</button>
  </section>`;
}
