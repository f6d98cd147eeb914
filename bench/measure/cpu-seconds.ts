import { spawnSync } from 'node:child_process';

/** CPU seconds of a shell command and all its children: POSIX.1, "Shell command language", "times". */
export function cpuSeconds(command: string, folder: string): number {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `{ ${command}; } >/dev/null && times`], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`'${command}' failed: ${stderr.trim()}`);
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(stdout);
  if (times === null) throw new Error(`'times' of the shell said '${stdout}'`);
  const [, userMinutes, user, systemMinutes, system] = times.map(Number);
  return 60 * (userMinutes + systemMinutes) + user + system;
}
