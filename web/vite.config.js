import { fileURLToPath, URL } from 'node:url';
import { createServer, defineConfig } from 'vite';

const ROOT = fileURLToPath(new URL('.', import.meta.url));

/** Answers the opening question of the compare view, with the page's own sources. */
async function openingComparison() {
  const server = await createServer({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  const load = (path) => server.ssrLoadModule(fileURLToPath(new URL(path, import.meta.url)));
  try {
    const { OPENING } = await load('./compare/opening.ts');
    const { runComparison } = await load('./compare/comparison.ts');
    const { openTrace } = await load('../src/trace/node/open.ts');
    const { source, tlb, pages } = OPENING;
    const data = fileURLToPath(new URL(`../src/trace/shipped/${source}.pwt`, import.meta.url));
    const task = { recording: { name: source, data }, tlbs: [tlb], pages };
    return await runComparison(
      task,
      (_name, path) => openTrace(path),
      () => undefined,
    );
  } finally {
    await server.close();
  }
}

/** The compare view opens with something to see: the answer is a module of the page, made with it. */
function finishedComparison() {
  const name = 'virtual:finished-comparison';
  const resolved = `\0${name}`;
  return {
    name,
    resolveId: (source) => (source === name ? resolved : undefined),
    load: async (id) => (id === resolved ? `export default ${JSON.stringify(await openingComparison())}` : undefined),
  };
}

/**
 * The worker is one more entry of the page, not a bundle of its own: both have their modules from the same files, and the
 * package has them once. The module tells the worker's address.
 */
function sharedWorker() {
  const name = 'virtual:compare-worker';
  const resolved = `\0${name}`;
  return {
    name,
    resolveId: (source) => (source === name ? resolved : undefined),
    load(id) {
      if (id !== resolved) return undefined;
      const worker = fileURLToPath(new URL('./compare/worker.ts', import.meta.url));
      const reference = this.emitFile({ type: 'chunk', id: worker, name: 'worker' });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}

export default defineConfig({
  base: './',
  logLevel: 'error',
  plugins: [finishedComparison(), sharedWorker()],
  build: {
    outDir: '../dist/web',
    license: { fileName: 'LICENSES.md' },
    emptyOutDir: true,
    rolldownOptions: {
      output: {
        // Recordings keep their names: `pagewalk explore` serves them from the one place in the package.
        assetFileNames: ({ names }) =>
          names.some((name) => name.endsWith('.pwt')) ? 'recordings/[name][extname]' : 'assets/[name]-[hash][extname]',
      },
    },
  },
});
