/** Why a command ends without doing its work, in words for the person who typed it. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  /**
   * @param message names the field, its value and the fix; no trailing period needed
   * @param exitCode 2 when the command line itself is wrong, 1 when the work failed
   */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no permission',
  EISDIR: 'is a folder, a file is needed',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EMFILE: 'too many open files',
};

/**
 * An error of the operating system in words, such as `cannot read 'x': no such file or folder`; others come back
 * unchanged.
 * @param doing the failed action, as `write 'x'`; `read` and the error's own path when absent
 */
export function explainSystemError(error: unknown, doing?: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error;
  const reason = SYSTEM_REASONS[String(error.code)] ?? String(error.code);
  const path = 'path' in error ? String(error.path) : 'the input';
  return new CommandFailure(`cannot ${doing ?? `read '${path}'`}: ${reason}`);
}
