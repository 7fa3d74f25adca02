// A button that asks the server: busy while it runs, its problem afterwards. A second press while busy does nothing.
import { ref, shallowRef } from 'vue'
import { asProblem, type Problem } from '@shared/api/problem'

export function useAction<Args extends unknown[]>(run: (...args: Args) => Promise<unknown>) {
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)
  async function act(...args: Args): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = null
    try {
      await run(...args)
      return true
    } catch (error) {
      problem.value = asProblem(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, problem, act }
}
