// An entry as the user interface reads it: numbers instead of strings, one `kind` instead of optional fields.
// Unknown kinds survive as `unknown`, so that an older client shows a line instead of a hole.
import type { Body, CallEnded, CallInvited, Card, Consent, ConsultationChange, Entry, Image, Membership, Notice, Recall, SenderRole, Text, Voice } from './wire.gen'

export type Content =
  | ({ kind: 'text' } & Text)
  | ({ kind: 'image' } & Image)
  | ({ kind: 'voice' } & Voice)
  | ({ kind: 'recall' } & Recall)
  | ({ kind: 'membership' } & Membership)
  | ({ kind: 'consultation' } & ConsultationChange)
  /** `about` is the consent's own kind: `scope_notice`, `informed_consent`, `av_notice`. */
  | ({ kind: 'consent'; about: string } & Omit<Consent, 'kind'>)
  | ({ kind: 'card' } & Card)
  | ({ kind: 'callInvited' } & CallInvited)
  | { kind: 'callAccepted'; call?: string; device?: string }
  | ({ kind: 'callEnded' } & CallEnded)
  | ({ kind: 'notice' } & Notice)
  | { kind: 'withheld'; why: string }
  | { kind: 'unknown' }

/** Kinds a person may send. */
export type SendBody = Pick<Body, 'text' | 'image' | 'voice' | 'recall'>

export interface Message {
  conversation: string
  seq: number
  id: string
  /** Empty when the server speaks. */
  sender: string
  sender_role: SenderRole
  at_ms: number
  /** Base64; empty while unknown. */
  hash: string
  urgent: boolean
  content: Content
}

const KINDS = ['text', 'image', 'voice', 'recall', 'membership', 'consultation', 'consent', 'card', 'callInvited', 'callAccepted', 'callEnded', 'notice'] as const

export function readContent(body: Body | undefined, withheld?: string): Content {
  for (const kind of KINDS) {
    const value = body?.[kind]
    if (value) return { ...value, ...(kind === 'consent' && { about: body?.consent?.kind ?? '' }), kind } as Content
  }
  return withheld && withheld !== 'WITHHELD_UNSPECIFIED' ? { kind: 'withheld', why: withheld } : { kind: 'unknown' }
}

export function readEntry(entry: Entry): Message {
  return {
    conversation: entry.conversation ?? '',
    seq: Number(entry.seq ?? 0),
    id: entry.id ?? '',
    sender: entry.sender ?? '',
    sender_role: entry.senderRole ?? 'SENDER_ROLE_UNSPECIFIED',
    at_ms: Number(entry.atMs ?? 0),
    hash: entry.hash ?? '',
    urgent: entry.urgent ?? false,
    content: readContent(entry.body, entry.withheld),
  }
}
