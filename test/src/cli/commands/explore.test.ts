import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLI_PATH, runCli } from '../run-cli.js';

const servers: ChildProcess[] = [];
let port = 0;

/** Starts a server, and gives its port. */
async function serve(...options: string[]): Promise<number> {
  const command = [CLI_PATH, 'explore', '--port', '0', ...options];
  const server = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(server);
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  return Number(/localhost:(\d+)/.exec(line.toString())?.[1]);
}

beforeAll(async () => {
  port = await serve();
});

afterAll(() => {
  for (const server of servers) server.kill();
});

interface Answer {
  readonly status: number | undefined;
  readonly policy: string | undefined;
  readonly kept: string | undefined;
  readonly text: string;
}

/** A request with a path and a host as they are, which fetch would tidy up. */
async function ask(path: string, host = 'localhost', method = 'GET', at = port): Promise<Answer> {
  const outgoing = request({ host: '127.0.0.1', port: at, path, method, headers: { host } });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return {
    status: response.statusCode,
    policy: response.headers['content-security-policy'] as string | undefined,
    kept: response.headers['cache-control'],
    text,
  };
}

it('serves the page under a policy that lets nothing leave it', async () => {
  const { status, policy, text } = await ask('/');
  expect(status).toBe(200);
  expect(text).toContain('<title>pagewalk explorer</title>');
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|http/);
  expect(policy).toContain("frame-ancestors 'none'");
});

it('lets other pages show it in a frame when asked, and no more', async () => {
  const [closed, framed] = [await ask('/'), await ask('/', 'localhost', 'GET', await serve('--embed'))];
  expect(framed.text).toBe(closed.text);
  expect(framed.policy).toBe(closed.policy?.replace("; frame-ancestors 'none'", ''));
});

it('lets a browser keep what is named by its contents, and ask for all else', async () => {
  const page = await ask('/');
  const [script] = /\/assets\/[^"]+\.js/.exec(page.text)!;
  expect([page.kept, (await ask(script)).kept]).toEqual(['no-cache', 'max-age=31536000, immutable']);
});

it('serves the recordings that the page names', async () => {
  const page = fileURLToPath(new URL('../../../../dist/web/assets/', import.meta.url));
  const script = readdirSync(page)
    .map((name) => readFileSync(page + name, 'utf8'))
    .join('');
  const names = [...script.matchAll(/recordings\/(\w+\.pwt)/g)].map(([, name]) => name).sort();
  expect(names).toEqual(['python.pwt', 'sort.pwt']);
  for (const name of names) expect((await ask(`/recordings/${name}`)).status).toBe(200);
});

it.each(['/../package.json', '/..%2fpackage.json', '/assets', '/index.html/', '//etc/passwd'])(
  'has nothing at %s',
  async (path) => {
    expect((await ask(path)).status).toBe(404);
  },
);

it('answers no other name, and nothing but reading', async () => {
  expect((await ask('/', 'evil.example')).status).toBe(403);
  expect((await ask('/', 'localhost', 'POST')).status).toBe(405);
});

it('names the port that is taken, and the way out', async () => {
  const { status, stderr } = await runCli(['explore', '--port', String(port)]);
  expect(status).toBe(1);
  expect(stderr).toBe(
    `error: --port ${port} cannot be: something else uses it; give another, or 0 for any that is free\n`,
  );
});

it('refuses what is no port', async () => {
  const { status, stderr } = await runCli(['explore', '--port', '70000']);
  expect(status).toBe(2);
  expect(stderr).toContain('Give a port from 0 to 65535');
});

it('gives two examples in its help', async () => {
  expect((await runCli(['explore', '--help'])).stdout.match(/^ {2}pagewalk explore/gm)).toHaveLength(2);
});

it('ends quietly when it is interrupted', async () => {
  const other = spawn(process.execPath, [CLI_PATH, 'explore', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  other.kill('SIGINT');
  expect(await once(other, 'exit')).toEqual([0, null]);
});
