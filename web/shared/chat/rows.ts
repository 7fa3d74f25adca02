// From entries and pending sends to what stands in the list: day marks, bubbles, notes, one card per object, one row per call.
// Pure, so that every shape of a conversation is tested without a browser.
import type { Content, Message, Pending, Timeline } from '@sdk/index'
import type { CallEndReason } from '@sdk/wire.gen'

export type SendState = 'sending' | 'sent' | 'delivered' | 'read' | 'failed'

export interface BubbleRow {
  kind: 'bubble'
  key: string
  seq: number
  mine: boolean
  sender: string
  role: 'patient' | 'doctor' | 'other'
  at_ms: number
  content: Content
  recalled: boolean
  /** Own lines only. */
  state: SendState | null
  /** Id of the pending send, for retry and discard. */
  pending_id: string
  code: string
}

export interface CallRow {
  kind: 'call'
  key: string
  seq: number
  call: string
  mine: boolean
  video: boolean
  at_ms: number
  deadline_ms: number
  phase: 'calling' | 'live' | 'ended'
  reason: CallEndReason | null
  connected_ms: number
}

export type Row =
  | { kind: 'day'; key: string; at_ms: number }
  | BubbleRow
  | CallRow
  | { kind: 'note'; key: string; seq: number; at_ms: number; content: Content }
  | { kind: 'card'; key: string; seq: number; at_ms: number; object: string; object_id: string; title: string }

const BUBBLES = new Set<Content['kind']>(['text', 'image', 'voice', 'withheld', 'unknown'])

export function rowsOf(timeline: Timeline | null, pending: readonly Pending[], me: string): Row[] {
  const messages = timeline?.messages ?? []
  const marks = timeline?.marksOfOthers(me) ?? { delivered_seq: 0, read_seq: 0 }
  const newest_card = new Map<string, number>()
  const calls = new Map<string, CallRow>()
  for (const { content, seq } of messages) if (content.kind === 'card') newest_card.set(`${content.object} ${content.objectId}`, seq)

  const rows: Row[] = []
  let day = ''
  const push = (row: Row) => {
    const at_day = new Date(row.at_ms).toDateString()
    if (at_day !== day) rows.push({ kind: 'day', key: `day-${at_day}`, at_ms: row.at_ms })
    day = at_day
    rows.push(row)
  }
  for (const message of messages) {
    const row = rowOf(message, me, newest_card, calls)
    if (!row) continue
    if (row.kind === 'bubble' && timeline) {
      row.recalled = timeline.isRecalled(row.seq)
      if (row.mine) row.state = row.seq <= marks.read_seq ? 'read' : row.seq <= marks.delivered_seq ? 'delivered' : 'sent'
    }
    push(row)
  }
  for (const item of pending) if (!item.body.recall) push(pendingRow(item, me))
  return rows
}

function rowOf(message: Message, me: string, newest_card: Map<string, number>, calls: Map<string, CallRow>): Row | null {
  const { seq, at_ms, content } = message
  const key = `seq-${seq}`
  // A place before the reader joined keeps its seq and shows nothing.
  if (content.kind === 'withheld' && content.why === 'WITHHELD_INTERVAL') return null
  if (BUBBLES.has(content.kind)) return bubble(message, me)
  switch (content.kind) {
    case 'card': {
      const { object = '', objectId = '', title = '' } = content
      return newest_card.get(`${object} ${objectId}`) === seq ? { kind: 'card', key, seq, at_ms, object, object_id: objectId, title } : null
    }
    case 'callInvited': {
      const row: CallRow = {
        kind: 'call', key, seq, at_ms, call: content.call ?? '', mine: message.sender === me || (message.sender === '' && content.callee !== me),
        video: content.media === 'CALL_MEDIA_VIDEO', deadline_ms: Number(content.deadlineMs ?? 0), phase: 'calling', reason: null, connected_ms: 0,
      }
      calls.set(row.call, row)
      return row
    }
    case 'callAccepted':
    case 'callEnded':
      return follow(content, calls.get(content.call ?? ''), message, me)
    case 'recall':
      return null
    default:
      return { kind: 'note', key, seq, at_ms, content }
  }
}

/** Brings the call's own row up to date; a call whose beginning is not loaded gets a row of its own. */
function follow(content: Extract<Content, { kind: 'callAccepted' | 'callEnded' }>, row: CallRow | undefined, message: Message, me: string): Row | null {
  if (content.kind === 'callAccepted') {
    if (row) row.phase = 'live'
    return null
  }
  const ended = { phase: 'ended' as const, reason: content.reason ?? null, connected_ms: content.connectedMs ?? 0 }
  if (row) {
    Object.assign(row, ended)
    return null
  }
  return {
    kind: 'call', key: `seq-${message.seq}`, seq: message.seq, at_ms: message.at_ms, call: content.call ?? '', mine: content.by === me,
    video: content.media === 'CALL_MEDIA_VIDEO', deadline_ms: 0, ...ended,
  }
}

function bubble(message: Message, me: string): BubbleRow {
  const roles = { SENDER_ROLE_PATIENT: 'patient', SENDER_ROLE_DOCTOR: 'doctor', SENDER_ROLE_EXPERT: 'doctor' } as Record<string, BubbleRow['role']>
  return {
    kind: 'bubble', key: message.id || `seq-${message.seq}`, seq: message.seq, mine: message.sender === me, sender: message.sender,
    role: roles[message.sender_role] ?? 'other', at_ms: message.at_ms, content: message.content, recalled: false, state: null, pending_id: '', code: '',
  }
}

function pendingRow(item: Pending, me: string): BubbleRow {
  const content: Content = item.body.text
    ? { kind: 'text', ...item.body.text }
    : item.body.image
      ? { kind: 'image', ...item.body.image }
      : { kind: 'voice', ...item.body.voice }
  return {
    kind: 'bubble', key: item.id, seq: 0, mine: true, sender: me, role: 'other', at_ms: item.created_at_ms, content,
    recalled: false, state: item.state, pending_id: item.id, code: item.code,
  }
}
