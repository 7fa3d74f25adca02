// The record of one consultation while it is written: saved by itself a moment after the last key, with the version it was read at,
// so that a second window cannot overwrite it. Advice has no diagnosis field (REG-02).
import { onScopeDispose, reactive, ref, shallowRef, watch } from 'vue'
import { asProblem, Problem } from '@shared/api/problem'
import type { MedicalRecord } from '@shared/api/types'
import { useRuntime } from '@shared/runtime'

export type SaveState = 'clean' | 'dirty' | 'saving' | 'saved' | 'conflict' | 'failed'

const SAVE_AFTER_MS = 1_200
const EMPTY: MedicalRecord = {
  impression: '', diagnosis: '', diagnosis_code: '', symptom_analysis: '', basis: '', advice: '', medication_advice: '', references: [], version: 0,
}

export function useRecord(consultation: string, return_visit: boolean) {
  const { http } = useRuntime()
  const path = `/consultations/${consultation}/record`
  const draft = reactive<MedicalRecord>({ ...EMPTY })
  const state = ref<SaveState>('clean')
  const problem = shallowRef<Problem | null>(null)
  const ready = ref(false)
  let due: ReturnType<typeof setTimeout> | null = null
  let quiet = true

  async function load(): Promise<void> {
    quiet = true
    try {
      const held = await http.get<MedicalRecord | null>(path)
      Object.assign(draft, EMPTY, held ?? {})
      state.value = 'clean'
      problem.value = null
      ready.value = true
    } catch (error) {
      const found = asProblem(error)
      // Nothing written yet is not a problem.
      if (found.status === 404) ready.value = true
      else problem.value = found
    } finally {
      queueMicrotask(() => (quiet = false))
    }
  }

  /** What this kind of consultation may say. */
  function body(): Record<string, unknown> {
    const { impression, diagnosis, diagnosis_code, symptom_analysis, basis, advice, medication_advice, references, version } = draft
    const common = { symptom_analysis, basis, advice, medication_advice, references, version }
    return return_visit ? { diagnosis, diagnosis_code, ...common } : { impression, ...common }
  }

  async function save(): Promise<boolean> {
    if (due) clearTimeout(due)
    due = null
    if (state.value === 'clean' || state.value === 'saved') return true
    state.value = 'saving'
    try {
      const held = await http.put<MedicalRecord>(path, body())
      quiet = true
      draft.version = held.version
      queueMicrotask(() => (quiet = false))
      // A key pressed meanwhile made it dirty again.
      if ((state.value as SaveState) === 'saving') state.value = 'saved'
      problem.value = null
      return true
    } catch (error) {
      problem.value = asProblem(error)
      state.value = problem.value.code === 'version_conflict' ? 'conflict' : 'failed'
      return false
    }
  }

  watch(draft, () => {
    if (quiet || !ready.value) return
    state.value = 'dirty'
    if (due) clearTimeout(due)
    due = setTimeout(() => void save(), SAVE_AFTER_MS)
  })
  const warn = (event: BeforeUnloadEvent) => {
    if (['dirty', 'saving', 'failed'].includes(state.value)) event.preventDefault()
  }
  window.addEventListener('beforeunload', warn)
  onScopeDispose(() => {
    window.removeEventListener('beforeunload', warn)
    if (state.value === 'dirty') void save()
  })
  void load()
  return { draft, state, problem, ready, load, save }
}
