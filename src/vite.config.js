import { chmodSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import { defineConfig, esmExternalRequirePlugin } from 'vite';

const BUILT = fileURLToPath(new URL('../dist/', import.meta.url));

/** What a module needs at once, itself included. */
function needed(id, graph, found = new Set()) {
  if (found.has(id)) return found;
  found.add(id);
  for (const next of graph.getModuleInfo(id)?.importedIds ?? []) needed(next, graph, found);
  return found;
}

/** Names the file for modules of these folders, as far as one of `roots` needs them. */
function neededBy(roots, name, folders) {
  const modules = new Set();
  const find = (graph) => roots.forEach((root) => needed(`${BUILT}${root}`, graph, modules));
  return {
    test: folders,
    name: (id, graph) => {
      if (modules.size === 0) find(graph);
      return modules.has(id) ? name : null;
    },
  };
}

const MAIN = 'src/cli/main.js';
const WALK = 'src/cli/commands/walk/walk.js';
const FORK = 'src/cli/commands/fork.js';
/**
 * Node takes longer to load a file than to compile modules left unused, so what most commands start with is in few
 * files, by room. None needs a later one, nor a package that a smaller command has not. RAM and the kernel need little
 * of the hardware: programs of others that bundle them get no more.
 */
const groups = [
  { name: 'zod', test: /node_modules\/zod\// },
  { name: 'commander', test: /node_modules\/commander\/|esm-external-require/ },
  neededBy(['hw/memory/ram.js', 'src/kernel/kernel.js'], 'base', /dist\/hw\//),
  neededBy([FORK], 'x86', /dist\/hw\/(base|hot|memory|tlb|translate|x86)\//),
  neededBy([WALK], 'segments', /dist\/hw\//),
  { name: 'kernel-parts', test: /dist\/src\/kernel\// },
  neededBy([MAIN, WALK], 'text', /dist\/src\/(host|report|cli\/(failure|json-file)|compare\/.*\/page-kinds)/),
  neededBy([WALK], 'steps', /dist\/src\/(conformance|explain|lab)\//),
  neededBy([WALK], 'options', /dist\/src\/cli\/(options|output)\./),
  neededBy([WALK], 'states', /dist\/src\/cli\/(?!commands\/walk\/walk\.)/),
];

const NAMESPACE = /^import \* as (\w+) from ('[^']+');$/gm;

/**
 * Hot files destructure a namespace, for constants of their own. A bundle would make an object of it at each start, with
 * a getter for each export. So each name is imported by itself; rolldown drops a namespace left unused.
 */
const namesOfNamespaces = {
  name: 'names-of-namespaces',
  transform(code, id) {
    if (!id.startsWith(BUILT)) return undefined;
    const imports = [];
    let result = code;
    for (const [, namespace, source] of code.matchAll(NAMESPACE)) {
      result = result.replace(new RegExp(`^( *const )\\{([^}]+)\\} = ${namespace};$`, 'gm'), (_, start, list) => {
        const pairs = list.match(/\w+(: \w+)?/g).map((pair) => pair.split(': '));
        imports.push(
          `import { ${pairs.map(([name, own = name]) => `${name} as ${own}$`).join(', ')} } from ${source};`,
        );
        return `${start}${pairs.map(([name, own = name]) => `${own} = ${own}$`).join(', ')};`;
      });
    }
    return { code: imports.join('') + result, map: null };
  },
};

/** Commander can start commands in executables of their own. There are none: its `child_process` stays unloaded. */
const noExecutables = {
  name: 'no-executables',
  transform: (code, id) =>
    id.includes('/node_modules/commander/') ? code.replace("require('node:child_process')", '{}') : undefined,
};

/**
 * The JavaScript that ships: what tsc compiled, in few files, so that a command starts soon. Modules that the same entries
 * need share a file, and a bundler of others still leaves out what its program does not use. The code stays as tsc wrote
 * it: constants above all, because V8 folds those alone.
 */
export default defineConfig({
  root: BUILT,
  logLevel: 'error',
  plugins: [
    namesOfNamespaces,
    noExecutables,
    esmExternalRequirePlugin({ external: [/^node:/] }),
    {
      name: 'executable',
      writeBundle() {
        chmodSync(`${BUILT}bundle/main.js`, 0o755);
      },
    },
  ],
  ssr: { noExternal: ['commander', 'picocolors', 'zod'] },
  build: {
    ssr: true,
    license: { fileName: 'LICENSES.md' },
    target: 'esnext',
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
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        codeSplitting: { includeDependenciesRecursively: false, groups },
        comments: false,
        minify: { compress: false, mangle: { keepNames: true }, codegen: true },
        topLevelVar: false,
      },
    },
  },
});
