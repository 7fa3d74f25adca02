// How long to wait before the next connection: doubling from 0.5 s to 30 s with half jitter, plus a random part of the
// window the server asked for, so that a restarted node is not met by everybody at once.

const FIRST_MS = 500
const LONGEST_MS = 30_000

export function backoffMs(attempt: number, window_ms: number, chance: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10))
  return Math.round(full / 2 + (full / 2) * chance() + window_ms * chance())
}
