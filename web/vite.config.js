import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  logLevel: 'error',
  build: {
    outDir: '../dist/web',
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
