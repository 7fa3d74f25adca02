// Uploads in flight, with progress and cancel. Type and size are checked here only to save a pointless wait; the server decides,
// re-encodes and drops all metadata.
import { reactive } from 'vue'
import type { Http } from '../api/http'
import { asProblem, Problem } from '../api/problem'
import type { Attachment } from '../api/types'
import { newId } from '../platform'

export interface Upload {
  key: string
  kind: 'image' | 'voice'
  /** Object URL of what is being sent. */
  preview: string
  duration_ms: number
  share: number
  problem: Problem | null
  done: Attachment | null
  cancel(): void
  retry(): void
}

const IMAGE_BYTES_MAX = 10 * 1024 * 1024
export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']

/** Null when the file may be sent. */
export function checkImage(file: File): Problem | null {
  if (!IMAGE_TYPES.includes(file.type)) return new Problem({ code: 'unsupported_media_type' })
  return file.size > IMAGE_BYTES_MAX ? new Problem({ code: 'too_large' }) : null
}

export class Uploads {
  readonly items: Upload[] = reactive([])
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  get is_busy(): boolean {
    return this.items.some((item) => !item.done && !item.problem)
  }

  /** `onDone` gets the attachment; a failed one stays in `items` for retry or removal. */
  add(blob: Blob, kind: Upload['kind'], name: string, onDone: (done: Attachment) => void, duration_ms = 0): Upload {
    const abort = { current: new AbortController() }
    const item: Upload = reactive({
      key: newId(),
      kind,
      preview: URL.createObjectURL(blob),
      duration_ms,
      share: 0,
      problem: null,
      done: null,
      cancel: () => {
        abort.current.abort()
        this.remove(item.key)
      },
      retry: () => {
        abort.current = new AbortController()
        void this.#run(item, blob, name, abort.current.signal, onDone)
      },
    })
    this.items.push(item)
    item.problem = kind === 'image' && blob instanceof File ? checkImage(blob) : null
    if (!item.problem) void this.#run(item, blob, name, abort.current.signal, onDone)
    return item
  }

  remove(key: string): void {
    const at = this.items.findIndex((item) => item.key === key)
    if (at < 0) return
    URL.revokeObjectURL(this.items[at]!.preview)
    this.items.splice(at, 1)
  }

  async #run(item: Upload, blob: Blob, name: string, signal: AbortSignal, onDone: (done: Attachment) => void): Promise<void> {
    item.problem = null
    item.share = 0
    const form = new FormData()
    form.append('kind', item.kind)
    form.append('file', blob, name)
    try {
      item.done = await this.#http.upload<Attachment>('/uploads', form, { signal, onProgress: (share) => (item.share = share) })
      item.share = 1
      onDone(item.done)
    } catch (error) {
      if (!signal.aborted) item.problem = asProblem(error)
    }
  }
}
