import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CourseGrade } from '../../../../src/course/course.js';
import { COURSE_STEPS } from '../../../../src/course/steps.js';
import { temporaryFolder } from '../../../folder.js';
import { solutionText } from '../../course/solution.js';
import { expectUsageError, runCli, spawnCli } from '../run-cli.js';

async function newProject(...options: string[]): Promise<string> {
  const folder = join(temporaryFolder(), 'project');
  const { status, stdout, stderr } = await runCli(['course', 'new', folder, ...options]);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('npm test');
  return folder;
}

/** What `course grade --json` prints. */
async function grade(folder: string, ...options: string[]): Promise<CourseGrade & { readonly status: number | null }> {
  const { status, stdout, stderr } = await runCli(['course', 'grade', folder, '--json', '--seed', '7', ...options]);
  expect(stderr).toBe('');
  return { ...(JSON.parse(stdout) as CourseGrade), status };
}

it.each([
  ['x86', 'js'],
  ['x86', 'ts'],
  ['sv39', 'js'],
  ['sv39', 'ts'],
])('new makes a project for %s in %s, on the installation that made it', async (machine, language) => {
  const folder = await newProject('--machine', machine, '--language', language);
  const handler = readFileSync(join(folder, `handler.${language}`), 'utf8');
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const { title, functions, name } of COURSE_STEPS) {
    expect(readme).toContain(`${title} (\`${name}\`)`);
    for (const one of functions) expect(handler.split(`export function ${one}(`)).toHaveLength(2);
    for (const one of functions) expect(handler).toContain(`throw new Error('${one}: not written yet');`);
  }
  expect(handler).toContain(machine === 'x86' ? 'X86Processor' : 'Sv39Processor');
  expect(readFileSync(join(folder, 'machine.d.ts'), 'utf8')).toContain('interface CourseHandler');
  expect(realpathSync(join(folder, 'node_modules/pagewalk'))).toBe(realpathSync('.'));
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  expect([scripts.start, scripts.test]).toEqual([
    expect.stringMatching(/^node node_modules\/pagewalk\/dist\/bundle\/main.js course run \.$/),
    expect.stringMatching(/^node node_modules\/pagewalk\/dist\/bundle\/main.js course grade \.$/),
  ]);
});

it('the command as it ships makes a project, and its npm test grades', () => {
  const folder = join(temporaryFolder(), 'project');
  expect(spawnCli(['course', 'new', folder])).toMatchObject({ status: 0, stderr: '' });
  writeFileSync(join(folder, 'handler.js'), solutionText('x86'));
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly test: string };
  };
  const [, ...args] = scripts.test.split(' ');
  const options = { cwd: folder, encoding: 'utf8' } as const;
  const { status, stdout } = spawnSync(process.execPath, [...args, '--step', 'walk', '--seed', '7', '--json'], options);
  expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ passed: 1, output: '' })]);
});

it('new overwrites nothing', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thesis.txt'), 'mine');
  const { status, stderr } = await runCli(['course', 'new', folder]);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/is not empty.*give a new or an empty folder\n$/)]);
  expect(readdirSync(folder)).toEqual(['thesis.txt']);
});

it('grade passes a step that is right, and says what is not written', async () => {
  const folder = await newProject();
  const text = solutionText('x86').replace(/export function map\([^]*?\n}\n/, '');
  writeFileSync(join(folder, 'handler.js'), `console.log('{"passed": 8}');\n${text}`);
  const { steps, status, ...right } = await grade(folder, '--step', 'walk');
  expect([steps[0].step, steps[0].outcome, status]).toEqual(['walk', 'passed', 0]);
  expect(right).toMatchObject({ machine: 'x86', seed: 7, passed: 1, output: '{"passed": 8}\n' });
  writeFileSync(join(folder, 'handler.js'), `console.log('one');\nconsole.log('two \\x1b[0m');\n${text}`);
  const missing = await runCli(['course', 'grade', folder, '--step', 'map', '--seed', '7']);
  expect(missing.status).toBe(1);
  expect(missing.stdout.split('\n').slice(2)).toEqual([
    'map         not written               Map a page',
    '      map: not exported by the handler, or not written yet',
    '',
    'Your code printed:',
    'one',
    'two \\x1b[0m',
    '',
    '0 of 1 step passed. The same programs again: --seed 7',
    '',
  ]);
});

it('grade ends a handler that loops or eats memory, and lets none out of its process', async () => {
  const folder = await newProject();
  const evil = [
    "import { readFileSync } from 'node:fs';",
    'export function walk() { for (;;); }',
    "export function map() { readFileSync('/etc/hostname'); }",
    'export function switchTo() { for (const all = []; ; ) all.push(new Array(1e6).fill(0.5)); }',
    'export function buddyInit() {}',
    "export function buddyAllocate() { process.send({ tokens: [['return', 2]] }); return -1; }",
  ];
  writeFileSync(join(folder, 'handler.js'), evil.join('\n'));
  const why: Record<string, string | undefined> = {};
  for (const step of ['walk', 'map', 'demand', 'buddy']) {
    const { steps, passed, status } = await grade(folder, '--step', step, '--seconds', '1', '--memory', '32');
    expect([passed, status]).toEqual([0, 1]);
    why[step] = steps[0].failure?.why;
  }
  expect(why.walk).toMatch(/ended: no answer within 1 s .*loop/);
  expect(why.map).toMatch(/^map threw: Access to this API has been restricted.*\(handler.js, line 3\)$/);
  expect(why.demand).toMatch(/^it was ended: more than 32 MiB of memory/);
  expect(why.buddy).toBeDefined();
});

it.skipIf(process.platform !== 'linux')('grade ends a handler that takes memory besides its heap', async () => {
  const folder = await newProject();
  const greedy = 'export function walk() { for (const all = []; ; ) all.push(new Uint8Array(1e8).fill(1)); }';
  writeFileSync(join(folder, 'handler.js'), greedy);
  const { steps, status } = await grade(folder, '--step', 'walk', '--seconds', '60', '--memory', '32');
  expect([steps[0].failure?.why, status]).toEqual(['it was ended: more than 32 MiB of memory in use', 1]);
});

it('grade survives a handler that shuts its channel to the grader', async () => {
  const folder = await newProject();
  writeFileSync(join(folder, 'handler.js'), 'process.send({ ready: true });\nprocess.disconnect();\n');
  const { steps, status } = await grade(folder, '--step', 'walk');
  expect([steps[0].outcome, steps[0].failure?.kind, status]).toEqual(['failed', 'stopped', 1]);
  expect(steps[0].failure?.why).toMatch(/^its process ended/);
});

it('run shows a short program with each action of the handler', async () => {
  const folder = await newProject('--machine', 'sv39');
  const text = solutionText('sv39', [
    ['    machine.zeroFrame(frame);\n    kernel.frameUsers', '    kernel.frameUsers'],
  ]);
  writeFileSync(join(folder, 'handler.js'), text);
  const { status, stdout } = await runCli(['course', 'run', folder, '--step', 'demand', '--seed', '7']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/pageFault\(A, 0x\w+, read\)\n {6}allocate\(\)/);
  expect(stdout).toMatch(/store\(0x\w+, 0x\w+\)\n {6}answers true\n/);
  expect(stdout).toMatch(/A reads 0x\w+: 0 expected, \d+ read\n$/);
});

it('a handler in TypeScript is graded', async () => {
  const folder = await newProject('--language', 'ts');
  const typed = solutionText('x86').replace(
    'walk(machine, root, address, write)',
    'walk(machine: X86Processor, root: number, address: number, write: boolean): number',
  );
  writeFileSync(join(folder, 'handler.ts'), `import type { X86Processor } from './machine.js';\n${typed}`);
  expect(await grade(folder, '--step', 'walk')).toMatchObject({ passed: 1 });
});

it.each([
  ['{}', "machine: expected 'x86' or 'sv39', found nothing"],
  ['null', 'expected an object, found null'],
  ['{"machine": 5}', "machine: expected 'x86' or 'sv39', found 5"],
  ['{"machine": "x86", "seed": 1}', "expected no field 'seed'; there are machine"],
  ['{', 'not JSON'],
])('a course.json with %s is refused with field and fix', async (text, words) => {
  const folder = await newProject();
  writeFileSync(join(folder, 'course.json'), text);
  const { status, stdout, stderr } = await runCli(['course', 'grade', folder]);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain(`course.json: ${words}`);
});

it('what cannot be graded is told with the fix', async () => {
  const folder = join(temporaryFolder(), 'empty');
  mkdirSync(folder);
  const first = await runCli(['course', 'grade', folder]);
  expect([first.status, first.stderr]).toEqual([
    1,
    expect.stringMatching(/neither handler.js nor handler.ts.*course new/),
  ]);
  writeFileSync(join(folder, 'handler.js'), 'export const = 1;');
  const file = await runCli(['course', 'grade', join(folder, 'handler.js')]);
  expect([file.status, file.stderr]).toEqual([1, expect.stringMatching(/handler.js' is a file; give the folder/)]);
  const missing = await runCli(['course', 'run', join(folder, 'none')]);
  expect([missing.status, missing.stderr]).toEqual([1, expect.stringMatching(/none' does not exist; give the folder/)]);
  const second = await runCli(['course', 'grade', folder]);
  expect(second.stderr).toMatch(/no course.json.*--machine x86 or sv39\n$/);
  const third = await runCli(['course', 'grade', folder, '--machine', 'x86']);
  expect([third.status, third.stderr]).toEqual([1, expect.stringMatching(/cannot be loaded: SyntaxError: .*\n$/)]);
  await expectUsageError(['course', 'grade', folder, '--step', 'forks'], ['--step', 'forks', 'Did you mean fork?']);
  await expectUsageError(['course', 'new', 'x', '--machine', 'arm'], ['--machine', 'arm', 'x86, sv39']);
  expect(existsSync('x')).toBe(false);
});
