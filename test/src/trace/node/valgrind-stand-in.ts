import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Writes lackey's lines to its --log-file, then runs the command. `$1` is --tool, `$2` --trace-mem,
 * `$3` --trace-children, `$4` --log-file. The command `missing` cannot be run, `odd` makes valgrind say odd things,
 * `thousand` has a thousand children at once, each of which opens the log anew for one access; `endless` writes accesses
 * for as long as somebody reads them; `family` is a program that replaces itself, and has a child that only forked and
 * one that ran a program.
 */
const STAND_IN = `#!/bin/sh
if [ "$1" = --version ]; then echo valgrind-0.0; exit; fi
log="\${4#--log-file=}"; shift 4
if [ "$1" = missing ]; then exit 127; fi
if [ "$1" = endless ]; then exec yes ' S 60,4' > "$log"; fi
if [ "$1" = thousand ]; then
  i=0
  while [ $i -lt 1000 ]; do i=$((i + 1)); printf '==%s== Lackey\\n L %x000,8\\n' $((9000 + i)) $i > "$log" & done
  wait; exit
fi
if [ "$1" = family ]; then
  { echo "==$$== Lackey"; echo "==70000== a child"; echo "==70001== Lackey"; echo "==70001== an end"; } > "$log"
  set true
fi
if [ "$1" = odd ]; then echo 'vex amd64->IR: unhandled instruction bytes' > "$log"; shift; fi
{ echo "==$$== Lackey"; for i in 10 20 30 40; do echo " L $i,8"; echo "I  400,4"; done; } > "$log"
"$@"; code=$?
echo " S 50,4" > "$log"
exit $code
`;

/** A PATH on which a stand-in for valgrind comes first, so that tests need no valgrind, and a QEMU that does not run; it lies in `folder`/bin. */
export function pathWithStandIn(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const machine of ['x86_64', 'aarch64']) {
    writeFileSync(join(bin, `qemu-${machine}`), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  }
  writeFileSync(join(bin, 'valgrind'), STAND_IN, { mode: 0o755 });
  return `${bin}${delimiter}${process.env.PATH ?? ''}`;
}
