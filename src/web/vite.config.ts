import { defineConfig } from 'vite';

export default defineConfig({
  // The agent may sit behind a reverse proxy under any path.
  base: './',
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
