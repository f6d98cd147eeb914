/** A sheet, or the key to it, as a page of HTML to print. */

import { partsOf } from './exercise.js';
import type { QuizResult } from './quiz.js';

const STYLE = `
  body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 11pt/1.4 system-ui, sans-serif; }
  h1 { font-size: 15pt; } h2 { font-size: 12pt; margin-bottom: 0.2rem; }
  section { break-inside: avoid; margin-bottom: 1.6rem; }
  pre { margin: 0.3rem 0 0.3rem 1rem; white-space: pre-wrap; font: 9.5pt/1.35 ui-monospace, monospace; }
  .name span { display: inline-block; width: 16rem; border-bottom: 1px solid; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.45rem 1rem; margin: 0.6rem 0 0 1rem; }
  dd { margin: 0; min-height: 1.4em; border-bottom: 1px solid; }
  .key dd { border: none; font-weight: 600; }
`;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function block(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `<pre>${escaped(lines.join('\n'))}</pre>`;
}

function exerciseHtml(exercise: QuizResult['exercises'][number], number: number): string {
  const { topic, kind, question, given } = exercise;
  const solved = 'answer' in exercise;
  const rows = solved
    ? partsOf(exercise).map(({ label, value }) => [label, value === '' ? '–' : value])
    : (exercise.asks ?? ['answer']).map((label) => [label, '']);
  const parts = rows.map(([label, value]) => `<dt>${escaped(label)}</dt><dd>${escaped(value)}</dd>`).join('');
  const reasons = solved ? block(exercise.reasoning) : '';
  const head = `<h2>${number}. ${escaped(topic)}: ${escaped(kind)}</h2><p>${escaped(question)}</p>`;
  return `<section>${head}${block(given)}<dl>${parts}</dl>${reasons}</section>`;
}

/** The whole document: blanks to fill in, or answers with their reasons when the quiz is solved. */
export function quizHtml({ exercises, seed, difficulty, solved }: QuizResult): string {
  const name = seed === null ? 'An exercise' : `Exercises, seed ${seed}, ${difficulty}`;
  const title = `${name}${solved ? ': the key' : ''}`;
  const blanks = solved ? '' : '<p class="name">Name <span></span> Date <span></span></p>';
  const body = exercises.map((exercise, i) => exerciseHtml(exercise, i + 1)).join('\n');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style></head>
<body class="${solved ? 'key' : 'sheet'}">
<h1>${title}</h1>
${blanks}
${body}
</body>
</html>
`;
}
