/**
 * Runs a student's handler in a process of its own, under Node's permission model: it may read its folder and pagewalk, and
 * nothing else; it may write nothing and start nothing. Time and memory are limited.
 * Source: Node.js documentation, "Permissions", "Process-based permissions".
 */

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../host/package-file.js';
import type { CourseFinding } from './engine/finding.js';
import type { CourseProgram } from './engine/program.js';
import { runCourseProgram } from './engine/run.js';
import { asTranscript, replayed } from './transcript.js';
import type { Token } from './transcript.js';

/** The limits of a handler. */
export interface SandboxLimits {
  /** For one program, of CPU time. */
  readonly seconds: number;
  /** Of the JavaScript heap; on Linux the whole process may take 384 more. */
  readonly mebibytes: number;
}

/** The handler cannot be run at all. */
export class HandlerError extends Error {
  override readonly name = 'HandlerError';
}

/** Beyond the limit of a program: for its start, and for a handler that the process itself cannot end. */
const GRACE_SECONDS = 10;
/** Characters of what a handler prints: the last ones. */
export const KEPT_OUTPUT = 4000;
/** On a busy machine the clock shows so many times the limit, at most. */
const MOST_PATIENCE = 16;
/** Memory of a process besides its heap, MiB: Node itself, and a compiler of TypeScript. */
const BESIDE_HEAP = 384;
/** Its memory is looked at so often. */
const LOOK_MILLISECONDS = 25;
/** From the end of the channel to the end of a process that did not end itself. */
const SHUT_MILLISECONDS = 1000;

/** The student's process: in dist/src/course/, or beside this module in a bundle. */
const PROGRAM = fileURLToPath(new URL('./student-process.js', import.meta.url));

/** The place of the package typescript: pagewalk's, or the student's; empty where Node takes types out itself. */
function typescriptFor(handler: string): string {
  if (!handler.endsWith('.ts') || 'typescript' in process.features) return '';
  for (const from of [import.meta.url, handler]) {
    try {
      return createRequire(from).resolve('typescript');
    } catch {
      // The next one.
    }
  }
  throw new HandlerError(
    `${handler}: this Node takes no TypeScript; use Node 22.18 or newer, or npm install typescript@6 in its folder`,
  );
}

function permissionFlags(readable: readonly string[]): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const flag = ['--permission', '--experimental-permission'].find((name) => known.has(name));
  if (flag === undefined) throw new HandlerError('this Node has no permission model; use Node 20 or newer');
  return [flag, ...readable.map((path) => `--allow-fs-read=${path}`)];
}

/** MiB of a process in RAM; 0 once it has ended, and on systems without /proc. Source: Linux manual pages, proc(5). */
function residentMebibytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** A reply, or the way the process ended. */
type Reply = { readonly message: unknown } | { readonly ended: string };

/** The process of one handler; another one is started when it ends. */
export class Sandbox {
  /** The end of what the handler printed. */
  output = '';
  private readonly handler: string;
  private readonly typescript: string;
  private child: ChildProcess | null = null;
  private errors = '';
  private patience = 1;
  /** It was ended because of its memory. */
  private greedy = false;

  /** @throws HandlerError when no process for it can be started */
  constructor(
    handler: string,
    private readonly limits: SandboxLimits,
  ) {
    this.handler = realpathSync(handler);
    this.typescript = typescriptFor(this.handler);
  }

  /**
   * The finding of a program, or undefined.
   * @throws HandlerError when the handler cannot be loaded
   */
  async run(program: CourseProgram): Promise<CourseFinding | undefined> {
    const transcript = await this.transcriptOf(program);
    if (typeof transcript !== 'string') return runCourseProgram(program, replayed(transcript));
    return { kind: 'stopped', line: program.operations.length, what: transcript };
  }

  /** What the handler did; or why its process ended, as a sentence. */
  async transcriptOf(program: CourseProgram): Promise<Token[] | string> {
    const child = this.child ?? (await this.start());
    child.send(program);
    const reply = await this.reply(child);
    if ('ended' in reply) return reply.ended;
    const message = typeof reply.message === 'object' && reply.message !== null ? reply.message : {};
    const tokens = asTranscript('tokens' in message ? message.tokens : null);
    if (tokens !== undefined) return tokens;
    this.close();
    if (!('starved' in message)) return 'it sent messages of its own to the grader, and was ended';
    if (this.patience >= MOST_PATIENCE)
      return `it was ended: this machine is too busy to give it ${this.limits.seconds} s of CPU time`;
    this.patience *= 4;
    return this.transcriptOf(program);
  }

  /** Ends the process. */
  close(): void {
    this.child?.kill('SIGKILL');
    this.child = null;
  }

  private async start(): Promise<ChildProcess> {
    const { limits, handler, patience, typescript } = this;
    const readable = [
      dirname(handler),
      dirname(PROGRAM),
      ...['dist/hw', 'package.json'].map(packageFile),
      ...(typescript === '' ? [] : [join(dirname(typescript), '..')]),
    ].filter((path) => existsSync(path));
    const arguments_ = [handler, String(limits.seconds * 1000), String(patience), typescript];
    const child = fork(PROGRAM, arguments_, {
      cwd: dirname(handler),
      env: {},
      execArgv: [...permissionFlags(readable), '--no-warnings', `--max-old-space-size=${limits.mebibytes}`],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child = child;
    this.errors = '';
    this.greedy = false;
    // The limit of the heap leaves out buffers.
    const look = setInterval(() => {
      if (residentMebibytes(child.pid ?? 0) <= limits.mebibytes + BESIDE_HEAP) return;
      this.greedy = true;
      child.kill('SIGKILL');
    }, LOOK_MILLISECONDS);
    // A message to a process that is gone is an error; its end, which follows, says why.
    child.on('error', () => undefined);
    // It ends by itself, or it shut the channel and would live on unheard.
    child.once('disconnect', () => setTimeout(() => child.kill('SIGKILL'), SHUT_MILLISECONDS).unref());
    child.once('close', () => {
      clearInterval(look);
      if (this.child === child) this.child = null;
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-KEPT_OUTPUT);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-KEPT_OUTPUT);
    });
    const reply = await this.reply(child);
    const message = 'message' in reply ? (reply.message as { readonly failed?: unknown } | null) : null;
    if ('message' in reply && message?.failed === undefined) return child;
    this.close();
    const why = 'ended' in reply ? reply.ended : String(message?.failed);
    throw new HandlerError(`${handler} cannot be loaded: ${why}`);
  }

  /** The next message of the process, or its end. */
  private reply(child: ChildProcess): Promise<Reply> {
    const seconds = this.limits.seconds * this.patience + GRACE_SECONDS;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        finish({ ended: `it was ended: no answer within ${seconds} s` });
        this.close();
      }, seconds * 1000);
      const heard = (message: unknown): void => {
        finish({ message });
      };
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        finish({ ended: this.endOf(code, signal) });
      };
      const finish = (reply: Reply): void => {
        clearTimeout(timer);
        child.off('message', heard).off('close', ended);
        resolve(reply);
      };
      child.once('message', heard).once('close', ended);
    });
  }

  private endOf(code: number | null, signal: NodeJS.Signals | null): string {
    const { errors, limits } = this;
    if (this.greedy || errors.includes('heap out of memory'))
      return `it was ended: more than ${limits.mebibytes} MiB of memory in use`;
    const how = signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`;
    const last = /^\w*Error.*$/m.exec(errors)?.[0];
    return `its process ended (${how})${last === undefined ? '' : `: ${last}`}`;
  }
}
