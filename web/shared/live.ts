// The SDK's events as Vue state. Each composable subscribes for the component's life and follows a change of the signed-in person.
import { onScopeDispose, ref, shallowRef, triggerRef, watch, type Ref } from 'vue'
import type { ChatClient, ChatEvents, LinkState, Timeline } from '@sdk/index'
import type { Pending } from '@sdk/index'
import { useRuntime } from './runtime'

/** Runs for the present client and again for the next one; whatever it returns undoes it. */
function withChat(run: (chat: ChatClient) => () => void): void {
  const { live } = useRuntime()
  watch(
    live,
    (now, _before, onCleanup) => {
      if (now) onCleanup(run(now.chat))
    },
    { immediate: true },
  )
}

export function useChatEvent<Name extends keyof ChatEvents>(name: Name, listener: (value: ChatEvents[Name]) => void): void {
  withChat((chat) => chat.on(name, listener))
}

export function useConnection() {
  const state = ref<LinkState>('idle')
  const stalled = ref(false)
  // Connecting again after a loss looks like the loss, not like a start.
  const lost_for_long = ref(false)
  withChat((chat) => {
    const follow = (now: LinkState) => {
      state.value = now
      if (now === 'waiting') lost_for_long.value = true
      if (now === 'open') lost_for_long.value = false
    }
    follow(chat.state)
    stalled.value = chat.stalled
    const off = [chat.on('state', follow), chat.on('stalled', (now) => (stalled.value = now))]
    return () => off.forEach((undo) => undo())
  })
  return { state, stalled, lost_for_long }
}

/** Online or not, for as long as the component lives. */
export function usePresence(users: () => readonly string[]) {
  const online = shallowRef(new Set<string>())
  const { live } = useRuntime()
  watch(
    [live, () => users().join(' ')],
    ([now], _before, onCleanup) => {
      const watched = users().filter(Boolean)
      if (!now || watched.length === 0) return
      online.value = new Set(watched.filter((user) => now.chat.isOnline(user)))
      const off = [
        now.chat.watch(watched),
        now.chat.on('presence', ({ user, online: there }) => {
          if (there) online.value.add(user)
          else online.value.delete(user)
          triggerRef(online)
        }),
      ]
      onCleanup(() => off.forEach((undo) => undo()))
    },
    { immediate: true },
  )
  return online
}

export interface ConversationView {
  timeline: Ref<Timeline | null>
  pending: Ref<readonly Pending[]>
  typing: Ref<boolean>
  /** Grows with every change of the timeline, which is one object throughout. */
  version: Ref<number>
}

/** One conversation, kept current while the component lives. */
export function useConversation(conversation: () => string | null | undefined): ConversationView {
  const timeline = shallowRef<Timeline | null>(null)
  const pending = shallowRef<readonly Pending[]>([])
  const typing = ref(false)
  const version = ref(0)
  const { live } = useRuntime()
  watch(
    [live, conversation],
    ([now, id], _before, onCleanup) => {
      timeline.value = null
      pending.value = []
      typing.value = false
      if (!now || !id) return
      const { chat } = now
      const show = () => {
        timeline.value = chat.timeline(id) ?? null
        pending.value = chat.pending(id)
        version.value += 1
      }
      chat.open(id)
      show()
      const off = [
        chat.on('conversation', (changed) => changed === id && show()),
        chat.on('typing', (event) => event.conversation === id && event.user !== chat.user && (typing.value = event.active)),
      ]
      onCleanup(() => {
        off.forEach((undo) => undo())
        chat.leave(id)
      })
    },
    { immediate: true },
  )
  return { timeline, pending, typing, version }
}

/** The moment, by the server's clock, ticking once a second. */
export function useServerNow(): Ref<number> {
  const { live } = useRuntime()
  const read = () => live.value?.chat.serverNow() ?? Date.now()
  const now = ref(read())
  const timer = setInterval(() => (now.value = read()), 1_000)
  onScopeDispose(() => clearInterval(timer))
  return now
}
