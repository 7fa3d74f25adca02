// The doctor's lists and the consultation in front of him. Lists are the server's; hints over the socket (an object changed, a head
// moved) make them load again, at most once a second.
import { reactive, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { Consultation, DoctorConsultation, Page } from '@shared/api/types'
import { asProblem, type Problem } from '@shared/api/problem'
import { useRuntime } from '@shared/runtime'

export const LISTS = ['waiting', 'in_progress', 'completed'] as const
export type ListName = (typeof LISTS)[number]

const PAGE_SIZE = 50
const RELOAD_EVERY_MS = 1_000

export const useDesk = defineStore('desk', () => {
  const { http } = useRuntime()
  const list = ref<ListName>('waiting')
  const rows = shallowRef<DoctorConsultation[] | null>(null)
  const counts = reactive<Record<ListName, number>>({ waiting: 0, in_progress: 0, completed: 0 })
  const problem = shallowRef<Problem | null>(null)
  const names = new Map<string, string>()
  let due: ReturnType<typeof setTimeout> | null = null

  async function load(): Promise<void> {
    const wanted = list.value
    try {
      const [page, counted] = await Promise.all([
        http.get<Page<DoctorConsultation>>('/doctor/consultations', { list: wanted, page_size: PAGE_SIZE }),
        http.get<Record<ListName, number>>('/doctor/counts'),
      ])
      Object.assign(counts, counted)
      if (wanted !== list.value) return
      rows.value = page.items
      page.items.forEach(learn)
      problem.value = null
    } catch (error) {
      problem.value = asProblem(error)
    }
  }

  function show(next: ListName): void {
    if (next === list.value && rows.value) return
    list.value = next
    rows.value = null
    void load()
  }

  /** Hints come in bursts; one load answers them all. */
  function soon(): void {
    due ??= setTimeout(() => {
      due = null
      void load()
    }, RELOAD_EVERY_MS)
  }

  function learn(consultation: Consultation): void {
    if (consultation.conversation_id) names.set(consultation.conversation_id, consultation.patient.name)
  }

  return { list, rows, counts, problem, load, show, soon, learn, patientOf: (conversation: string) => names.get(conversation) }
})
