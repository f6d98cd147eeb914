/** Why a trace cannot be read, in words for people. */
export class TraceError extends Error {
  override readonly name = 'TraceError';

  /**
   * @param source the file's name, or `standard input`
   * @param place `line 12` or `byte 4096`
   * @param problem the expected thing and the found one
   */
  constructor(
    readonly source: string,
    readonly place: string,
    readonly problem: string,
  ) {
    super(`${source}: ${place}: ${problem}`);
  }
}
