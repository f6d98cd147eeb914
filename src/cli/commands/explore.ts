import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { basename, extname, join, relative, sep } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { packageFile } from '../../host/package-file.js';
import { shippedTraces } from '../../trace/node/shipped.js';
import { CommandFailure } from '../failure.js';

const ADDRESS = '127.0.0.1';
const DEFAULT_PORT = 7480;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.pwt': 'application/octet-stream',
};

/** The page needs nothing from anywhere else, and says so to the browser. `index.html` carries the same policy. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'";
/** No page may show this one in a frame, unless it was asked for. */
const UNFRAMED = `${POLICY}; frame-ancestors 'none'`;

interface ExploreOptions {
  readonly port: number;
  readonly embed?: true;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65535)) throw new InvalidArgumentError('Give a port from 0 to 65535; 0 takes any that is free.');
  return port;
}

/** The built page by path, `/` being its start. Nothing else exists for the server. */
function readPage(): ReadonlyMap<string, Buffer> {
  const folder = packageFile('dist/web/');
  if (!existsSync(join(folder, 'index.html'))) {
    throw new CommandFailure('the page is not built; run npm run build:web first');
  }
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, path).split(sep).join('/')}`, readFileSync(path));
  }
  // The package holds the recordings once: beside their README, not in the built page.
  for (const { path } of shippedTraces()) files.set(`/recordings/${basename(path)}`, readFileSync(path));
  const start = files.get('/index.html');
  return start === undefined ? files : files.set('/', start);
}

/** Only names of this machine: a request by another name comes from somebody else's page. */
function asksForThisMachine({ headers }: IncomingMessage): boolean {
  return /^(localhost|127\.0\.0\.1)(:\d+)?$/.test(headers.host ?? '');
}

/** Its names tell contents: a browser that has such a file need not ask again. */
const HASHED = '/assets/';

function answer(
  files: ReadonlyMap<string, Buffer>,
  policy: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = (request.url ?? '/').replace(/[?#].*$/s, '');
  const body = files.get(path);
  const allowed = request.method === 'GET' || request.method === 'HEAD';
  if (!allowed || body === undefined || !asksForThisMachine(request)) {
    const status = !allowed ? 405 : body === undefined ? 404 : 403;
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end('There is nothing here.\n');
    return;
  }
  response.writeHead(200, {
    'content-type': TYPES[path === '/' ? '.html' : extname(path)] ?? 'application/octet-stream',
    'content-length': body.length,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': path.startsWith(HASHED) ? 'max-age=31536000, immutable' : 'no-cache',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'something else uses it' : (error.code ?? error.message);
      reject(new CommandFailure(`--port ${port} cannot be: ${reason}; give another, or 0 for any that is free`));
    });
    server.listen(port, ADDRESS, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** `pagewalk explore`: serves the page to this machine alone, until it is interrupted. */
export function exploreCommand(): Command {
  return new Command('explore')
    .description('Opens the explorer page to browsers on this machine: walks, forks, labs and comparisons to look at.')
    .option('-p, --port <number>', 'port on 127.0.0.1; 0 takes any that is free', parsePort, DEFAULT_PORT)
    .option('--embed', 'let other pages show it in a frame, such as slides')
    .addHelpText('after', '\nExamples:\n  pagewalk explore\n  pagewalk explore --port 0 --embed')
    .action(async ({ port, embed }: ExploreOptions) => {
      const files = readPage();
      const policy = embed === true ? POLICY : UNFRAMED;
      const server = createServer((request, response) => {
        answer(files, policy, request, response);
      });
      const chosen = await listen(server, port);
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => {
          server.close();
          server.closeAllConnections();
        });
      }
      process.stdout.write(`The explorer is at http://localhost:${chosen}/ (Ctrl-C ends it)\n`);
    });
}
