/** A machine's state in a link: its JSON as base64 with the letters of addresses (RFC 4648, section 5). */

import type { Page } from '../../story/view.js';

/** A file with more characters is no state that people made. */
const MOST_CHARACTERS = 400_000;

export function writeStateText(state: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** @throws RangeError for text that is none */
export function readStateText(text: string): unknown {
  try {
    const bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)))) as unknown;
  } catch {
    throw new RangeError("the link's state is no machine: it must be the JSON of a state file, as base64");
  }
}

/** The state in a file. @throws RangeError for one that is no JSON */
async function readStateFile(file: File): Promise<unknown> {
  if (file.size > MOST_CHARACTERS) throw new RangeError(`${file.name} is too large for the state of a machine`);
  try {
    return JSON.parse(await file.text()) as unknown;
  } catch {
    throw new RangeError(`${file.name} is no JSON; pagewalk walk --print-state prints a state to begin with`);
  }
}

/** Opens the machine in a file; one that cannot be read is told in a sentence. */
export function takeState(file: File, page: Page): void {
  readStateFile(file).then(
    (state) => {
      page.change({ state: writeStateText(state) });
    },
    (error: unknown) => {
      page.notice(error instanceof Error ? `${error.message}.` : String(error));
    },
  );
}
