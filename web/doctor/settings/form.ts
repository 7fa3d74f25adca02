// Loading, editing and saving one settings object: one state for all three forms.
import { ref, shallowRef, type Ref } from 'vue'
import { asProblem, type Problem } from '@shared/api/problem'
import { useRuntime } from '@shared/runtime'

export function useForm<T>(path: string, body: (value: T) => unknown = (value) => value) {
  const { http } = useRuntime()
  const value = ref<T | null>(null) as Ref<T | null>
  const problem = shallowRef<Problem | null>(null)
  const busy = ref(true)
  const saved = ref(false)

  async function attempt(run: () => Promise<T>): Promise<boolean> {
    busy.value = true
    saved.value = false
    problem.value = null
    try {
      value.value = await run()
      return true
    } catch (error) {
      problem.value = asProblem(error)
      return false
    } finally {
      busy.value = false
    }
  }
  const load = () => attempt(() => http.get<T>(path))
  async function save() {
    const wanted = value.value
    if (wanted !== null) saved.value = await attempt(async () => (await http.put<T | undefined>(path, body(wanted))) ?? wanted)
  }
  void load()
  return { value, problem, busy, saved, load, save }
}
