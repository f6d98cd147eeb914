/** A new project for a student: the handler with its stubs, the text of the steps, and the commands to run and test it. */

import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { packageFile } from '../host/package-file.js';
import { NOT_WRITTEN } from './engine/finding.js';
import { COURSE_MACHINES } from './engine/machines.js';
import type { CourseMachineName } from './engine/machines.js';
import { checked } from '../report/output/schema-words.js';
import { COURSE_STEPS } from './steps.js';
import type { CourseStep } from './steps.js';

/** The languages of a handler. */
export const COURSE_LANGUAGES = ['js', 'ts'] as const;
/** One of them. */
export type CourseLanguage = (typeof COURSE_LANGUAGES)[number];

/** Why there is no project, in words for people. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError';
}

/** The file with the machine's name in a project. */
const SETTINGS = 'course.json';
const CLI = 'node node_modules/pagewalk/dist/bundle/main.js';

const BITS: Readonly<Record<CourseMachineName, string>> = {
  x86: `// Bits of an entry. Source: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging". The frame's number is from bit 12 on.
const P = 0x1; // present
const RW = 0x2; // writable
const US = 0x4; // for user mode
const A = 0x20; // accessed, set by the processor
const D = 0x40; // dirty, set by the processor
const PS = 0x80; // above the lowest level: a page of 2 MiB
const G = 0x100; // global
`,
  sv39: `// Bits of an entry. Source: RISC-V privileged specification, "Sv39". The frame's number is from bit 10 on.
const V = 0x1; // valid
const R = 0x2; // readable
const W = 0x4; // writable
const X = 0x8; // executable; with none of R, W and X the entry leads to a table
const U = 0x10; // for user mode
const G = 0x20; // global
const A = 0x40; // accessed, set by the hart
const D = 0x80; // dirty, set by the hart
`,
};

const MACHINE_TYPES: Readonly<Record<CourseMachineName, string>> = { x86: 'X86Processor', sv39: 'Sv39Processor' };
const MACHINE_TITLES: Readonly<Record<CourseMachineName, string>> = {
  x86: 'x86-64 with 4-level paging',
  sv39: 'RISC-V with Sv39',
};

/** A function of the handler, as its interface declares it. */
interface Declared {
  readonly doc: string;
  readonly parameters: readonly (readonly [name: string, type: string])[];
  readonly result: string;
}

/** The declaration of the student's interface: it goes into the project as it is, and the stubs are made from it. */
function declarations(): string {
  return readFileSync(packageFile('dist/src/course/engine/student.d.ts'), 'utf8').replace(
    /\nexport \{\};\n|\/\/# .*\n?/g,
    '',
  );
}

function declared(text: string, name: string, machine: CourseMachineName): Declared {
  const match = new RegExp(`/\\*\\* ([^*]*) \\*/\\s+${name}\\(([^)]*)\\): (\\w+);`).exec(text);
  if (match === null) throw new Error(`no declaration of ${name}`);
  const [, doc, parameters, result] = match;
  const typed = parameters.replaceAll(/(?<=[:<] ?)Machine\b/g, MACHINE_TYPES[machine]);
  return { doc, result, parameters: typed.split(', ').map((one) => one.split(': ') as [string, string]) };
}

/** A function that throws, with its docstring and signature. */
function stub(name: string, { doc, parameters, result }: Declared, language: CourseLanguage): string {
  const body = `  throw new Error('${name}: ${NOT_WRITTEN}');\n}\n`;
  if (language === 'ts') {
    const list = parameters.map(([parameter, type]) => `${parameter}: ${type}`).join(', ');
    return `/** ${doc} */\nexport function ${name}(${list}): ${result} {\n${body}`;
  }
  const tags = parameters.map(([parameter, type]) => ` * @param {${type}} ${parameter}\n`).join('');
  const list = parameters.map(([parameter]) => parameter).join(', ');
  return `/**\n * ${doc}\n${tags} * @returns {${result}}\n */\nexport function ${name}(${list}) {\n${body}`;
}

/** The file in which the student writes. */
function handlerText(machine: CourseMachineName, language: CourseLanguage): string {
  const text = declarations();
  const types = `{ CourseKernel, CourseProcess, CourseRegion, ${MACHINE_TYPES[machine]} }`;
  const head =
    language === 'ts'
      ? `import type ${types} from './machine.js';\n`
      : `// @ts-check\n/** @import ${types} from './machine.js' */\n`;
  const written = new Set<string>();
  const steps = COURSE_STEPS.map(({ title, functions }, i) => {
    const fresh = functions.filter((name) => !written.has(name));
    const again = functions.filter((name) => written.has(name));
    for (const name of fresh) written.add(name);
    const also = again.length > 0 ? ` Also: ${again.join(', ')}.` : '';
    const stubs = fresh.map((name) => stub(name, declared(text, name, machine), language));
    return [`// Step ${i + 1}: ${title}.${also}\n`, ...stubs].join('\n');
  });
  return [head, BITS[machine], ...steps].join('\n');
}

function stepText({ name, title, functions, write, words, hint, checked }: CourseStep, number: number): string {
  return `## ${number}. ${title} (\`${name}\`)

${write}

- **Functions**: ${functions.map((one) => `\`${one}\``).join(', ')}.
- **Words from the field**: ${words}
- **Checked how**: ${checked}

<details><summary>Hint</summary>

${hint}

</details>
`;
}

function readme(machine: CourseMachineName, language: CourseLanguage): string {
  const file = `handler.${language}`;
  const typescript =
    language === 'ts'
      ? '\nNode 22.18 or newer takes TypeScript as it is; older ones need `npm install` first. `npm run types` checks the types.\n'
      : '';
  return `# A page-fault handler of your own

You write the part of a kernel that manages memory, for ${MACHINE_TITLES[machine]}, into \`${file}\`. \`machine.d.ts\` says what you
get: RAM, registers, invalidations and page faults, and no more than a kernel has.

| Command                     | Does                                                        |
| --------------------------- | ----------------------------------------------------------- |
| \`npm start\`                 | runs a short program of the first unfinished step, and shows each action of your code |
| \`npm start -- --step fork\`  | the same for a step of your choice                          |
| \`npm test\`                  | grades all steps                                            |
| \`npm test -- --seed 7\`      | the same programs again                                     |
${typescript}
A failed step shows the shortest program found that goes wrong, and why. Lines are numbered; a store or a frame is named with
the call that made it. Each program begins on a new machine with an empty kernel: keep your data in \`kernel.frameUsers\`,
\`kernel.slotUsers\` and \`kernel.own\`, not in variables of the file. What you print with \`console.log\` is shown at the end.

New frames are full of \`0x5b5b2b5b5b5b\`: whoever forgets to clear one meets it.

${COURSE_STEPS.map((step, i) => stepText(step, i + 1)).join('\n')}`;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

function manifest(language: CourseLanguage): string {
  const typed = language === 'ts';
  return json({
    name: 'page-fault-handler',
    private: true,
    type: 'module',
    scripts: { start: `${CLI} course run .`, test: `${CLI} course grade .`, ...(typed && { types: 'tsc --noEmit' }) },
    dependencies: { pagewalk: `file:${resolve(packageFile(''))}` },
    ...(typed && { devDependencies: { typescript: '~6.0.0' } }),
  });
}

/** The files of a project, by name. */
function projectFiles(machine: CourseMachineName, language: CourseLanguage): Readonly<Record<string, string>> {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2023',
    module: 'nodenext',
    types: [],
    erasableSyntaxOnly: true,
  };
  return {
    'README.md': readme(machine, language),
    [`handler.${language}`]: handlerText(machine, language),
    'machine.d.ts': declarations(),
    [SETTINGS]: json({ machine }),
    'package.json': manifest(language),
    '.gitignore': 'node_modules/\n',
    ...(language === 'ts' && { 'tsconfig.json': json({ compilerOptions, include: ['*.ts'] }) }),
  };
}

/**
 * Makes the project in a new or an empty folder: all of it or nothing.
 * @throws ProjectError for a folder with something in it, or none at all; the file system's errors
 */
export function makeProject(folder: string, machine: CourseMachineName, language: CourseLanguage): void {
  const isNew = !existsSync(folder);
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) {
    throw new ProjectError(`'${folder}' is not empty, and nothing is overwritten; give a new or an empty folder`);
  }
  const files = projectFiles(machine, language);
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { flag: 'wx' });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(resolve(packageFile('')), join(folder, 'node_modules/pagewalk'), 'junction');
  } catch (error) {
    for (const name of [...Object.keys(files), 'node_modules'])
      rmSync(join(folder, name), { recursive: true, force: true });
    if (isNew) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The path of the handler of a project. @throws ProjectError for a folder without one */
export function projectHandler(folder: string): string {
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there?.isDirectory() !== true) {
    const what = there === undefined ? 'does not exist' : 'is a file';
    throw new ProjectError(`'${folder}' ${what}; give the folder of a project: pagewalk course new makes one`);
  }
  const handlers = COURSE_LANGUAGES.map((language) => join(folder, `handler.${language}`)).filter((path) =>
    existsSync(path),
  );
  if (handlers.length !== 1) {
    const found = handlers.length === 0 ? 'neither handler.js nor handler.ts' : 'both handler.js and handler.ts';
    throw new ProjectError(`'${folder}' has ${found}; one is needed: pagewalk course new makes a project`);
  }
  return handlers[0];
}

/** The machine that a project names. @throws ProjectError for one that names none, with the file, the field and the fix */
export async function projectMachine(folder: string): Promise<CourseMachineName> {
  const path = join(folder, SETTINGS);
  const fix = `say --machine ${COURSE_MACHINES.join(' or ')}`;
  if (!existsSync(path)) throw new ProjectError(`there is no ${SETTINGS} in '${folder}'; ${fix}`);
  const { CourseSettings } = await import('./settings.js');
  const settings = checked(CourseSettings, settingsIn(path));
  if ('value' in settings) return settings.value.machine;
  const { path: way, problem } = settings.flaw;
  throw new ProjectError(`${[path, ...way].join(': ')}: ${problem}; mend it, or ${fix}`);
}

function settingsIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ProjectError(`${path}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
