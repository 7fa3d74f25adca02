// Reloads when the server says an object moved, and after a reconnect, since such hints may be lost.
import { useChatEvent } from '@shared/live'

export function useChanged(objects: readonly string[], reload: (id: string) => unknown, id?: () => string): void {
  useChatEvent('changed', (changed) => {
    if (objects.includes(changed.object) && (!id || !changed.id || changed.id === id())) void reload(changed.id)
  })
  useChatEvent('welcome', () => void reload(''))
}
