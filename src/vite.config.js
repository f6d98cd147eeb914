import { chmodSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import { defineConfig } from 'vite';

const BUILT = fileURLToPath(new URL('../dist/', import.meta.url));

/**
 * The JavaScript that ships: what tsc compiled, in few files, so that a command starts soon. Modules that the same entries
 * need share a file, and a bundler of others still leaves out what its program does not use. The code stays as tsc wrote
 * it: constants above all, because V8 folds those alone.
 */
export default defineConfig({
  root: BUILT,
  logLevel: 'error',
  plugins: [
    {
      name: 'executable',
      writeBundle() {
        chmodSync(`${BUILT}bundle/main.js`, 0o755);
      },
    },
  ],
  build: {
    ssr: true,
    target: 'esnext',
    minify: false,
    outDir: 'bundle',
    emptyOutDir: true,
    rolldownOptions: {
      input: {
        main: `${BUILT}src/cli/main.js`,
        index: `${BUILT}src/index.js`,
        hw: `${BUILT}hw/index.js`,
        kernel: `${BUILT}src/kernel/index.js`,
        'jobs-task': `${BUILT}src/compare/jobs/jobs-task.js`,
        'relay-task': `${BUILT}src/trace/node/relay/relay-task.js`,
        'sweep-task': `${BUILT}src/compare/sweep/sweep-task.js`,
        'student-process': `${BUILT}src/course/student-process.js`,
      },
      // For Node, helpers would import a module of Node's, which a browser has not.
      platform: 'neutral',
      // Comments stand in the declarations.
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js', comments: false, topLevelVar: false },
    },
  },
});
