// Whether the doctor takes new patients: one switch, shown in the frame and in the settings.
import { reactive } from 'vue'
import type { Http } from '@shared/api/http'

const state = reactive({ accepting: false })

export const useAvailability = () => state

export async function loadAvailability(http: Http): Promise<void> {
  const profile = await http.get<{ accepting: boolean }>('/doctor/profile').catch(() => null)
  if (profile) state.accepting = profile.accepting
}
