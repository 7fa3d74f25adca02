// Unread counts of the tab bar. Both start from the server's numbers; the socket keeps the conversations' current between two lists.
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import type { ConsultationLine, Page } from '@shared/api/types'
import { useRuntime } from '@shared/runtime'

const SPOKEN = new Set(['text', 'image', 'voice'])

export const useUnread = defineStore('unread', () => {
  const { http, live } = useRuntime()
  const notifications = ref(0)
  const conversations = ref(0)
  const names = ref<Record<string, string>>({})
  const lines = new Map<string, number>()

  async function countNotifications() {
    if (!live.value) return
    notifications.value = (await http.get<{ unread: number }>('/notifications/unread-count').catch(() => ({ unread: notifications.value }))).unread
  }

  /** Who is behind each open conversation: for the call window and for the count. */
  async function loadConversations() {
    if (!live.value) return
    const page = await http.get<Page<ConsultationLine>>('/consultations', { group: 'active', page: 1 }).catch(() => null)
    if (!page) return
    lines.clear()
    page.items.forEach(learn)
  }

  function learn(line: ConsultationLine) {
    const { conversation_id, doctor, unread } = line
    if (!conversation_id) return
    names.value[conversation_id] = doctor.name
    if (unread !== undefined) lines.set(conversation_id, unread)
    countConversations()
  }

  function countConversations() {
    conversations.value = [...lines.keys()].filter((id) => unreadOf(id) > 0).length
  }

  function unreadOf(conversation: string): number {
    return lines.get(conversation) ?? 0
  }

  function heard(conversation: string) {
    lines.set(conversation, unreadOf(conversation) + 1)
    countConversations()
  }

  /** Read here or on another device. */
  function followMarks() {
    for (const id of lines.keys()) {
      const head = live.value?.chat.head(id)
      if (head && head.read_seq >= head.seq) lines.set(id, 0)
    }
    countConversations()
  }

  watch(
    live,
    (now, _before, onCleanup) => {
      notifications.value = conversations.value = 0
      if (!now) return
      void countNotifications()
      void loadConversations()
      const off = [
        now.chat.on('heads', followMarks),
        now.chat.on('message', ({ conversation, content }) => SPOKEN.has(content.kind) && heard(conversation)),
        now.chat.on('changed', ({ object }) => void (object === 'notification' ? countNotifications() : object === 'consultation' && loadConversations())),
        now.chat.on('welcome', () => void Promise.all([countNotifications(), loadConversations()])),
        now.calls.on('call', (call) => call && !names.value[call.conversation] && void loadConversations()),
      ]
      onCleanup(() => off.forEach((undo) => undo()))
    },
    { immediate: true },
  )

  return { notifications, conversations, names, learn, unreadOf, countNotifications }
})
