/// <reference types="vitest/config" />
import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'
// @ts-expect-error a plain script without types
import { compressFolder } from './scripts/compress.mjs'

const root = import.meta.dirname

/** Writes `.br` and `.gz` beside every text asset, so that the server never compresses. */
function precompress(): Plugin {
  return {
    name: 'wenzhen:precompress',
    apply: 'build',
    closeBundle: () => compressFolder(resolve(root, 'dist')),
  }
}

/** The development server answers `/doctor` like the binary does. */
function doctorEntry(): Plugin {
  return {
    name: 'wenzhen:doctor-entry',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        if (request.url && /^\/doctor(\/[^.]*)?(\?|$)/.test(request.url)) request.url = '/doctor.html'
        next()
      })
    },
  }
}

const backend = process.env.WENZHEN_BACKEND ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue(), doctorEntry(), precompress()],
  resolve: { alias: { '@sdk': resolve(root, 'sdk'), '@shared': resolve(root, 'shared') } },
  build: {
    target: 'es2021',
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { patient: resolve(root, 'index.html'), doctor: resolve(root, 'doctor.html') } },
  },
  server: {
    proxy: {
      '/api': backend,
      '/demo': backend,
      '/v1': { target: backend, ws: true },
    },
  },
  test: { include: ['sdk/**/*.test.ts', 'shared/**/*.test.ts', 'patient/**/*.test.ts', 'doctor/**/*.test.ts'] },
})
