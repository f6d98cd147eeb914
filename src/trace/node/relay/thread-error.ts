/** Errors on their way from one thread to another. Classes and fields of errors get lost there, so both go beside it. */

/** An error as data. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  /** Its own fields, such as `code` and `path` of an error of the system. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An error as data. Its fields must be plain ones. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), fields: {} };
  const fields = Object.entries(error).filter(([field]) => field !== 'cause');
  return { name: error.name, message: error.message, fields: Object.fromEntries(fields) };
}

/** The error again, of the class with its name; an `Error` if none of `classes` has it. */
export function unpackError(
  { name, message, fields }: PackedError,
  classes: readonly { readonly name: string; readonly prototype: Error }[],
): Error {
  const error = new Error(message);
  const found = classes.find((one) => one.name === name);
  if (found !== undefined) Object.setPrototypeOf(error, found.prototype);
  return Object.assign(error, fields);
}
