/** Why a trace cannot be read, in words for the person who gave it. */
export class TraceError extends Error {
  override readonly name = 'TraceError';

  /**
   * @param source the file's name, or `standard input`
   * @param place `line 12` or `byte 4096`
   * @param problem what was expected there and what was found
   */
  constructor(
    readonly source: string,
    readonly place: string,
    readonly problem: string,
  ) {
    super(`${source}: ${place}: ${problem}`);
  }
}
