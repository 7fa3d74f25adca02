// What went wrong with a request, as RFC 9457 tells it. People read the translation of `code`; `detail` is for support.

export interface FieldProblem {
  path: string
  code: string
  message: string
}

export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly temporary: boolean
  readonly retry_after_ms: number
  readonly request_id: string
  readonly fields: FieldProblem[]
  readonly detail: string
  /** The server's own words, in Chinese. */
  readonly title: string

  constructor(parts: Partial<Pick<Problem, 'status' | 'code' | 'temporary' | 'retry_after_ms' | 'request_id' | 'fields' | 'detail' | 'title'>>) {
    super(parts.code ?? 'internal')
    this.name = 'Problem'
    this.status = parts.status ?? 0
    this.code = parts.code ?? 'internal'
    this.temporary = parts.temporary ?? false
    this.retry_after_ms = parts.retry_after_ms ?? 0
    this.request_id = parts.request_id ?? ''
    this.fields = parts.fields ?? []
    this.detail = parts.detail ?? ''
    this.title = parts.title ?? ''
  }

  field(path: string): FieldProblem | undefined {
    return this.fields.find((field) => field.path === path)
  }
}

export const offline = () => new Problem({ code: 'offline', temporary: true })

export function readProblem(status: number, text: string, request_id: string): Problem {
  const fallback = { status, request_id, code: codeOfStatus(status), temporary: status >= 500 || status === 429 }
  try {
    const body = JSON.parse(text) as Partial<Problem>
    return new Problem({ ...fallback, ...body, request_id: body.request_id || request_id, status })
  } catch {
    return new Problem(fallback)
  }
}

function codeOfStatus(status: number): string {
  const codes: Record<number, string> = { 401: 'unauthenticated', 403: 'not_permitted', 404: 'not_found', 413: 'too_large', 429: 'rate_limited', 502: 'unavailable', 503: 'unavailable', 504: 'timeout' }
  return codes[status] ?? 'internal'
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem({ code: 'internal', detail: String(error) })
}
