// The binary on a free port with folders of its own; stopped and removed at the end.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), 'wenzhen-browser-'))
  port = 0
  #process: ChildProcess | null = null

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    if (this.port === 0) this.port = await freePort()
    const log = openSync(join(this.folder, 'server.log'), 'a')
    const stores = ['--data', join(this.folder, 'data'), '--keys', join(this.folder, 'keys')]
    const options = ['serve', '--demo', '--addr', `127.0.0.1:${this.port}`, '--web-dir', join(ROOT, 'web/dist'), ...stores]
    this.#process = spawn(binary(), options, { stdio: ['ignore', log, log], env: environment() })
    for (let tries = 0; tries < 600; tries += 1) {
      if (await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false)) return
      if (this.#process.exitCode !== null) break
      await new Promise((done) => setTimeout(done, 50))
    }
    throw new Error(`the server is not ready:\n${this.log()}`)
  }

  log(): string {
    return readFileSync(join(this.folder, 'server.log'), 'utf8')
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null) return
    const ended = new Promise((done) => child.once('exit', done))
    child.kill(signal)
    await ended
  }

  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Without our own variables: the server reads WENZHEN_* as its configuration and refuses what it does not know. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WENZHEN_')))
}

function binary(): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target')
  const found = [process.env.WENZHEN_BINARY ?? '', join(target, 'debug/wenzhen')].find((path) => path && existsSync(path))
  if (!found) throw new Error('wenzhen is not built; run `cargo build --workspace --all-targets`')
  return found
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}
