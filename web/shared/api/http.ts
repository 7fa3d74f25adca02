// The one way to the REST API: bearer token, refresh on 401 once, problems as errors, time-outs, uploads with progress.
// It never retries what might have been done: a repeat needs the caller's Idempotency-Key.
import { offline, Problem, readProblem } from './problem'
import type { HeldSession, SessionStore } from './session'
import type { Session } from './types'

export type Query = Record<string, string | number | boolean | null | undefined>

export interface RequestOptions {
  query?: Query
  body?: unknown
  idempotency_key?: string
  signal?: AbortSignal
  /** No token: the answer is the same for everybody. */
  open?: boolean
}

export interface UploadOptions {
  onProgress?(share: number): void
  signal?: AbortSignal
}

const TIMEOUT_MS = 20_000
const UPLOAD_TIMEOUT_MS = 120_000

export class Http {
  readonly #session: SessionStore
  readonly #onSignedOut: () => void

  constructor(session: SessionStore, onSignedOut: () => void) {
    this.#session = session
    this.#onSignedOut = onSignedOut
  }

  get<T>(path: string, query?: Query, options: RequestOptions = {}): Promise<T> {
    return this.#json<T>('GET', path, { ...options, query })
  }

  post<T>(path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#json<T>('POST', path, { ...options, body: body ?? {} })
  }

  put<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#json<T>('PUT', path, { ...options, body })
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>('PATCH', path, { body })
  }

  delete<T>(path: string): Promise<T> {
    return this.#json<T>('DELETE', path, {})
  }

  async blob(path: string, signal?: AbortSignal): Promise<Blob> {
    const response = await this.#fetch('GET', path, { signal })
    return response.blob()
  }

  /** Multipart upload; XMLHttpRequest, because fetch tells no progress. */
  async upload<T>(path: string, form: FormData, options: UploadOptions = {}): Promise<T> {
    const first = await this.#upload<T>(path, form, await this.accessToken(), options)
    if (!(first instanceof Problem)) return first
    if (first.status !== 401) throw first
    const second = await this.#upload<T>(path, form, await this.accessToken(true), options)
    if (second instanceof Problem) throw second
    return second
  }

  /** For the socket's hello as well. Rejects with a Problem that says whether trying later makes sense. */
  async accessToken(renew = false): Promise<string> {
    const held = this.#session.current.value
    if (!held) throw new Problem({ code: 'unauthenticated', status: 401 })
    if (!renew && this.#session.isFresh()) return held.access_token
    try {
      const session = await this.#session.refresh(held.access_token, (stale) => this.#exchange(stale))
      if (session) return session.access_token
    } catch (error) {
      if (!(error instanceof Problem) || error.temporary || error.status === 0) throw error
    }
    this.#session.clear()
    this.#onSignedOut()
    throw new Problem({ code: 'session_revoked', status: 401 })
  }

  async #exchange(stale: HeldSession): Promise<Session> {
    const { refresh_token } = stale
    const response = await this.#once('POST', '/auth/refresh', { body: { refresh_token } }, refresh_token ? null : stale.access_token)
    const text = await response.text()
    if (!response.ok) throw readProblem(response.status, text, '')
    return JSON.parse(text) as Session
  }

  async #json<T>(method: string, path: string, options: RequestOptions): Promise<T> {
    const response = await this.#fetch(method, path, options)
    const text = await response.text()
    return (text ? JSON.parse(text) : undefined) as T
  }

  async #fetch(method: string, path: string, options: RequestOptions): Promise<Response> {
    const signed_in = !options.open && this.#session.current.value !== null
    const first = await this.#once(method, path, options, signed_in ? await this.accessToken() : null)
    const response = first.status === 401 && signed_in ? await this.#once(method, path, options, await this.accessToken(true)) : first
    if (response.ok) return response
    throw readProblem(response.status, await response.text(), response.headers.get('x-request-id') ?? '')
  }

  async #once(method: string, path: string, options: RequestOptions, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' }
    if (token) headers.authorization = `Bearer ${token}`
    if (options.body !== undefined) headers['content-type'] = 'application/json'
    if (options.idempotency_key) headers['idempotency-key'] = options.idempotency_key
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    try {
      return await fetch(address(path, options.query), {
        method,
        headers,
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
        signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      })
    } catch (error) {
      if (options.signal?.aborted) throw error
      throw (error as Error).name === 'TimeoutError' ? new Problem({ code: 'timeout', temporary: true }) : offline()
    }
  }

  #upload<T>(path: string, form: FormData, token: string, options: UploadOptions): Promise<T | Problem> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open('POST', address(path))
      request.setRequestHeader('authorization', `Bearer ${token}`)
      request.timeout = UPLOAD_TIMEOUT_MS
      request.upload.onprogress = (event) => event.lengthComputable && options.onProgress?.(event.loaded / event.total)
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as T)
        else resolve(readProblem(request.status, request.responseText, request.getResponseHeader('x-request-id') ?? ''))
      }
      request.onerror = () => reject(offline())
      request.ontimeout = () => reject(new Problem({ code: 'timeout', temporary: true }))
      request.onabort = () => reject(new Problem({ code: 'aborted' }))
      options.signal?.addEventListener('abort', () => request.abort(), { once: true })
      request.send(form)
    })
  }
}

function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `/api${path}${search ? `?${search}` : ''}`
}
