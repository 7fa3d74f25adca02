import { describe, expect, it } from 'vitest'
import { Timeline } from '@sdk/index'
import type { Body, Entry } from '@sdk/wire.gen'
import { rowsOf, type BubbleRow, type CallRow } from './rows'

function timelineOf(bodies: [sender: string, body: Body][]): Timeline {
  const timeline = new Timeline('c')
  const entries = bodies.map(([sender, body], at): Entry => ({ conversation: 'c', seq: String(at + 1), id: `e${at + 1}`, sender, atMs: '1800000000000', body }))
  timeline.addPage(entries, entries.length)
  return timeline
}
const kinds = (timeline: Timeline) => rowsOf(timeline, [], 'me').map((row) => row.kind)

describe('rows of a conversation', () => {
  it('tells how far own lines got', () => {
    const timeline = timelineOf([['me', { text: { text: 'a' } }], ['me', { text: { text: 'b' } }], ['me', { text: { text: 'c' } }]])
    timeline.learnMarks({ user: 'doctor', readSeq: '1', deliveredSeq: '2' })
    const states = rowsOf(timeline, [], 'me').filter((row): row is BubbleRow => row.kind === 'bubble').map((row) => row.state)
    expect(states).toEqual(['read', 'delivered', 'sent'])
  })

  it('puts pending sends last, with their state', () => {
    const pending = [{ id: 'p', conversation: 'c', body: { text: { text: 'x' } }, created_at_ms: 1_800_000_000_000, state: 'failed' as const, code: 'not_open' }]
    const last = rowsOf(timelineOf([['doctor', { text: { text: 'a' } }]]), pending, 'me').at(-1)
    expect(last).toMatchObject({ kind: 'bubble', state: 'failed', code: 'not_open', pending_id: 'p' })
  })

  it('hides what was recalled without a row for the recall', () => {
    const rows = rowsOf(timelineOf([['doctor', { text: { text: 'a' } }], ['doctor', { recall: { seq: '1' } }]]), [], 'me')
    expect(rows.map((row) => row.kind)).toEqual(['day', 'bubble'])
    expect((rows[1] as BubbleRow).recalled).toBe(true)
  })

  it('draws one card per object, where it was said last', () => {
    const card = { card: { object: 'order', objectId: 'o' } }
    expect(kinds(timelineOf([['', card], ['doctor', { text: { text: 'a' } }], ['', card]]))).toEqual(['day', 'bubble', 'card'])
  })

  it('folds a call into one row that updates in place', () => {
    const timeline = timelineOf([
      ['doctor', { callInvited: { call: 'k', media: 'CALL_MEDIA_VIDEO', callee: 'me' } }],
      ['me', { callAccepted: { call: 'k' } }],
      ['', { callEnded: { call: 'k', reason: 'CALL_END_REASON_HUNG_UP', connectedMs: 9_000 } }],
    ])
    const rows = rowsOf(timeline, [], 'me')
    expect(rows.map((row) => row.kind)).toEqual(['day', 'call'])
    expect(rows[1] as CallRow).toMatchObject({ phase: 'ended', connected_ms: 9_000, mine: false, video: true })
  })

  it('keeps the kind of a consent apart from the kind of the entry', () => {
    const note = rowsOf(timelineOf([['', { consent: { kind: 'av_notice', version: '1' } }]]), [], 'me')[1]
    expect(note).toMatchObject({ kind: 'note', content: { kind: 'consent', about: 'av_notice' } })
  })

  it('shows an entry of a newer server as a line instead of a hole', () => {
    expect(kinds(timelineOf([['doctor', {}]]))).toEqual(['day', 'bubble'])
  })
})
