// Pictures and voice of the server as object URLs: they need the token, which an <img> cannot send. A small cache keeps the newest
// ones, so that scrolling does not fetch again; older URLs are revoked.
import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { asProblem, type Problem } from '../api/problem'
import type { Http } from '../api/http'
import { useRuntime } from '../runtime'

export type Variant = 'full' | 'thumbnail'

const KEPT_MAX = 120
const held = new Map<string, Promise<string>>()

export function attachmentUrl(http: Http, id: string, variant: Variant): Promise<string> {
  const key = `${id} ${variant}`
  const found = held.get(key)
  if (found) return found
  const path = variant === 'full' ? `/attachments/${id}` : `/attachments/${id}/thumbnail`
  const loading = http.blob(path).then((blob) => URL.createObjectURL(blob))
  held.set(key, loading)
  loading.catch(() => held.delete(key))
  dropOldest()
  return loading
}

export function forgetAttachments(): void {
  for (const url of held.values()) void url.then((address) => URL.revokeObjectURL(address), () => undefined)
  held.clear()
}

function dropOldest(): void {
  if (held.size <= KEPT_MAX) return
  const [key, url] = held.entries().next().value!
  held.delete(key)
  void url.then((address) => URL.revokeObjectURL(address), () => undefined)
}

export function useAttachment(id: () => string, variant: Variant) {
  const { http } = useRuntime()
  const url = ref('')
  const problem = shallowRef<Problem | null>(null)
  let alive = true
  async function load() {
    const wanted = id()
    problem.value = null
    if (!wanted) return
    try {
      const address = await attachmentUrl(http, wanted, variant)
      if (alive && wanted === id()) url.value = address
    } catch (error) {
      if (alive && wanted === id()) problem.value = asProblem(error)
    }
  }
  watch(id, load, { immediate: true })
  onScopeDispose(() => (alive = false))
  return { url, problem, reload: load }
}
