/** Dynamic linking and rings, as Multics had them. */

import { toHex } from '../../../../hw/base/address.js';
import { DS } from '../../../../hw/x86/segmentation/register.js';
import { errnoName } from '../../../kernel/abi/errno.js';
import { must } from '../../../kernel/abi/must.js';
import { SEGV_ACCERR, signalName } from '../../../kernel/abi/signal.js';
import { Multics } from '../../../segments/multics/multics.js';
import type { SegmentDefinition } from '../../../segments/multics/directory.js';
import type { MulticsProcess } from '../../../segments/multics/process.js';
import { selectorOf } from '../../../segments/multics/supervisor.js';
import { RINGS } from '../../../segments/multics/rings.js';
import { claims } from '../../chapter/words.js';
import { SegmentMachine } from '../../segment-machine.js';
import type { Lab, Story } from '../../story.js';

const ENTRY = 0x20;
/** Segments with their ring brackets: R1, R2, R3. */
const EXAMPLES: readonly (readonly [name: string, brackets: readonly [number, number, number]])[] = [
  ['hcs_', [0, 0, 5]],
  ['ms_', [1, 1, 5]],
  ['ls', [1, 5, 5]],
];
const USER_RING = 4;
/** A segment number without a segment. */
const GUESS = 30;

function procedure(
  name: string,
  brackets: readonly [number, number, number],
  calls: readonly string[] = [],
): SegmentDefinition {
  const links = calls.map((segment) => ({ segment, symbol: 'main' }));
  return { name, kind: 'procedure', brackets, bytes: 256, symbols: { main: ENTRY }, links };
}

function system(): { machine: SegmentMachine; multics: Multics } {
  const machine = new SegmentMachine(2 ** 20);
  const multics = new Multics(machine.kernel);
  const names = EXAMPLES.map(([name]) => name);
  for (const [name, brackets] of EXAMPLES) must(multics.define(procedure(name, brackets)));
  must(multics.define(procedure('program', [USER_RING, USER_RING, USER_RING], names)));
  must(multics.define({ name: 'log', kind: 'data', brackets: [1, 5, 5], bytes: 64 }));
  for (let ring = 0; ring < RINGS; ring++) must(multics.define(procedure(`caller${ring}`, [ring, ring, ring], names)));
  return { machine, multics };
}

function nameOf(process: MulticsProcess): string {
  return process.known[process.procedure].named?.name ?? '?';
}

/** A call and its return. */
interface Called {
  readonly where: string;
  readonly links: number;
  readonly exceptions: number;
}

function words({ where, links, exceptions }: Called): string {
  return `${where}; link faults: ${links}, exceptions in all: ${exceptions}`;
}

/** Calls `ls` and comes back. */
function callAndReturn(multics: Multics, process: MulticsProcess): Called {
  const { counters, memory } = multics.kernel;
  const before = { links: counters.linkFaults, exceptions: memory.core.exceptions };
  must(multics.call(process, 2));
  const where = `in ${nameOf(process)} at offset ${process.offset}, ring ${process.ring}`;
  must(multics.return(process));
  return {
    where,
    links: counters.linkFaults - before.links,
    exceptions: memory.core.exceptions - before.exceptions,
  };
}

function linking(story: Story, multics: Multics): void {
  const { counters } = multics.kernel;
  const first = must(multics.login());
  must(multics.start(first, 'program', USER_RING));
  const calls = [callAndReturn(multics, first)];
  story.step(
    'The program of process 1 calls ls for the first time: its link is unsnapped and faults; the linker searches the directory, makes ls known and snaps the link.',
    words(calls[0]),
  );
  calls.push(callAndReturn(multics, first));
  story.step('It calls again: the link leads straight there.', words(calls[1]));
  story.figure('exceptionsOfSecondCall', 'exceptions of the second call', calls[1].exceptions, 0);
  const second = must(multics.login());
  // Another history gives another number to the same segment.
  must(multics.initiate(second, 'log'));
  must(multics.start(second, 'program', USER_RING));
  calls.push(callAndReturn(multics, second));
  story.table(
    'Process 2 runs the same program: the procedures are pure and shared, the links are its own, so it has a link fault of its own.',
    {
      head: ['call of ls', 'link faults', 'exceptions'],
      rows: ['process 1, first', 'process 1, again', 'process 2, first'].map((name, i) => {
        return [name, String(calls[i].links), String(calls[i].exceptions)];
      }),
      bars: calls.map(({ exceptions }) => exceptions),
    },
  );
  const numbers = [first, second].map((process) => process.numberOf('ls') ?? -1);
  const segments = [first, second].map((process, i) => process.rings[USER_RING]?.table.entries[numbers[i]]?.segment);
  story.step(
    'One copy of ls serves both, under a number of each process.',
    `segment number of ls: ${numbers[0]} in process 1, ${numbers[1]} in process 2`,
    `linkage sections: ${first.linkage.size + second.linkage.size}; copies of ls: ${new Set(segments).size}`,
  );
  story.maps(
    ...segments.map((segment, i) => ({
      who: `process ${i + 1}`,
      at: `segment number ${numbers[i]}`,
      to: `ls at ${toHex(segment?.base ?? 0)}`,
      rights: 'read, execute',
    })),
  );
  story.figure('linkFaults', 'link faults of two processes', counters.linkFaults, 2);
  const copies = new Set(segments).size;
  story.figure(
    'copiesOfLs',
    'copies of ls for two processes',
    copies,
    claims(
      'Every subroutine library, every text editor, every system utility existed as a shared segment that any process could link into its address space.',
      copies === 1,
    ),
    1,
  );
  story.figure('numbersDiffer', 'its segment number differs between them', numbers[0] !== numbers[1], true);
}

/** A segment number is good only with a descriptor behind it, and only in its process. */
function numbersAsRights(story: Story, multics: Multics): void {
  const [holder, other] = [must(multics.login()), must(multics.login())];
  const number = must(multics.initiate(holder, 'log'));
  for (const process of [holder, other]) must(multics.start(process, 'program', USER_RING));
  const read = (process: MulticsProcess, of: number): number => {
    const table = must(multics.enterRing(process, USER_RING));
    return typeof table === 'number' ? table : multics.kernel.load(table, selectorOf(of), 0, 1, DS);
  };
  const named = [holder, other].map((process) => process.known[number].named?.name ?? '?');
  const readable = read(holder, number) === 0;
  const guessed = read(other, GUESS);
  const given = must(multics.initiate(other, 'log'));
  const granted = read(other, given) === 0;
  story.step(
    'A number means nothing without a descriptor: the supervisor writes it once it has looked at the rights, and each process has its own.',
    `number ${number}: ${named[0]} in the first process, ${named[1]} in the second`,
    `the second process makes up number ${GUESS}: ${guessed === 0 ? 'read' : signalName(guessed)}`,
    `it asks for log by name and gets number ${given}: ${granted ? 'read' : 'refused'}`,
  );
  story.why(
    'This is like a capability: who has the descriptor has the right, and nobody can make one up. It is not one in full: a number cannot be handed to another process, and the rights are decided by name, access list and ring.',
  );
  story.figure('numberElsewhere', 'one number names two segments in two processes', named[0] !== named[1], true);
  story.figure('madeUpNumberRefused', 'a made-up number is refused', guessed < 0, true);
  const like = readable && granted && guessed < 0;
  story.figure(
    'rightByDescriptor',
    'who has the descriptor may read, nobody else',
    like,
    claims(
      'This created an elegant, capability-based sharing model that influenced security research for decades.',
      like,
    ),
  );
}

/** The end of a call from `ring`: the procedure's ring, or -1. */
function ringAfterCall(multics: Multics, ring: number, link: number): number {
  const process = must(multics.login());
  must(multics.start(process, `caller${ring}`, ring));
  const status = multics.call(process, link);
  const result = status < 0 ? -1 : process.ring;
  multics.logout(process);
  return result;
}

function rings(story: Story, multics: Multics): void {
  const all = Array.from({ length: RINGS }, (_, ring) => ring);
  const found = EXAMPLES.map((_, link) =>
    all.map((ring) => ringAfterCall(multics, ring, link)).map((ring) => (ring < 0 ? '-' : String(ring))),
  );
  story.table('Who may call what: the ring in which the procedure runs then (-: refused).', {
    head: ['called from ring', ...all.map(String)],
    rows: EXAMPLES.map(([name, brackets], i) => [`${name} ${brackets.join(',')}`, ...found[i]]),
  });
  EXAMPLES.forEach(([name], i) => {
    story.figure(`ringsOf_${name}`, `ring of ${name} when called from ring 0 to 7`, found[i].join(''));
  });
  const process = must(multics.login());
  must(multics.start(process, 'program', USER_RING));
  const read = multics.load(process, 'log', 0);
  const written = multics.store(process, 'log', 0, 1);
  story.step(
    `The user's program (4,4,4) touches a segment with brackets 1,5,5: ring ${USER_RING} may read it, only ring 1 may write it.`,
    `read: ${read === 0 ? 'done' : errnoName(read)}; write: ${signalName(written)}`,
  );
  story.figure('readAllowed', 'ring 4 may read the segment', read === 0, true);
  story.figure('ringViolationRefused', 'and its write is refused', written === SEGV_ACCERR, true);
}

export const multics: Lab = {
  name: 'multics',
  title: 'Multics: links that snap, and rings',
  run(story) {
    const { machine, multics: system_ } = system();
    linking(story, system_);
    numbersAsRights(story, system_);
    rings(story, system_);
    const problems = machine.kernel.audit();
    story.step('The audit of the kernel.', `${problems.length} problems`);
    story.figure('auditProblems', 'problems found by the audit', problems.length, 0);
  },
};
