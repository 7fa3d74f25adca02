// Close codes of the socket and what a client does about each: the table of chat/PROTOCOL.md. A test compares it with the
// server's source. An unknown code reconnects with back-off: a newer server must not strand an older client.

export type Reconnect = 'yes' | 'with_new_token' | 'no'

export interface ClosePolicy {
  name: string
  reconnect: Reconnect
  /** The next attempt waits a random part of this on top of the back-off. */
  within_ms: number
}

const row = (name: string, reconnect: Reconnect, within_ms: number): ClosePolicy => ({ name, reconnect, within_ms })

export const CLOSE_CODES: Readonly<Record<number, ClosePolicy>> = {
  1000: row('normal', 'no', 0),
  1002: row('protocol_error', 'no', 0),
  1007: row('invalid_payload', 'no', 0),
  1009: row('too_big', 'no', 0),
  1011: row('internal', 'yes', 10_000),
  4000: row('drain', 'yes', 10_000),
  4001: row('hello_timeout', 'yes', 5_000),
  4002: row('unauthenticated', 'with_new_token', 1_000),
  4003: row('token_expired', 'with_new_token', 1_000),
  4004: row('revoked', 'no', 0),
  4005: row('malformed', 'no', 0),
  4006: row('hello_expected', 'no', 0),
  4007: row('heartbeat_lost', 'yes', 2_000),
  4008: row('no_progress', 'yes', 5_000),
  4009: row('abuse', 'yes', 30_000),
  4010: row('replaced', 'no', 0),
  4011: row('overloaded', 'yes', 15_000),
}

const LOST = row('lost', 'yes', 0)

/** `reason` may name another window: `drain;within_ms=4000`. */
export function closePolicy(code: number, reason = ''): ClosePolicy {
  const policy = CLOSE_CODES[code] ?? LOST
  const told = /;within_ms=(\d{1,9})$/.exec(reason)
  return told && policy.reconnect !== 'no' ? { ...policy, within_ms: Number(told[1]) } : policy
}
