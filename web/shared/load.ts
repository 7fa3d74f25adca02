// One request of a page as Vue state: a skeleton at once, then data or a problem. A newer load makes an older answer void.
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'
import { asProblem, type Problem } from './api/problem'

export interface Load<T> {
  data: ShallowRef<T | null>
  problem: ShallowRef<Problem | null>
  loading: Ref<boolean>
  /** Quiet: what is shown stays until the new data is there. */
  reload(): Promise<void>
}

/** `on` reloads from scratch when it changes. */
export function useLoad<T>(fetch: (signal: AbortSignal) => Promise<T>, on?: WatchSource<unknown>): Load<T> {
  const data: ShallowRef<T | null> = shallowRef(null)
  const problem = shallowRef<Problem | null>(null)
  const loading = ref(true)
  let flight: AbortController | null = null

  async function reload() {
    flight?.abort()
    const mine = (flight = new AbortController())
    loading.value = true
    try {
      const fresh = await fetch(mine.signal)
      if (mine !== flight) return
      data.value = fresh
      problem.value = null
    } catch (error) {
      if (mine === flight) problem.value = asProblem(error)
    } finally {
      if (mine === flight) loading.value = false
    }
  }

  if (on) {
    watch(on, () => {
      data.value = null
      void reload()
    })
  }
  onScopeDispose(() => {
    flight?.abort()
    flight = null
  })
  void reload()
  return { data, problem, loading, reload }
}
