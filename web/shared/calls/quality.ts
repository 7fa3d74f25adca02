// How good the line is, from two readings of the connection's statistics.

export type Quality = 'unknown' | 'good' | 'fair' | 'poor'

export interface Reading {
  received: number
  lost: number
  round_trip_ms: number
}

export interface LineState {
  round_trip_ms: number
  loss_permille: number
  quality: Quality
}

export function readStats(report: Iterable<readonly [string, Record<string, unknown>]>): Reading {
  const reading: Reading = { received: 0, lost: 0, round_trip_ms: 0 }
  for (const [, stat] of report) {
    if (stat.type === 'inbound-rtp') {
      reading.received += Number(stat.packetsReceived ?? 0)
      reading.lost += Math.max(0, Number(stat.packetsLost ?? 0))
    }
    if (stat.type === 'candidate-pair' && stat.nominated && stat.currentRoundTripTime !== undefined) {
      reading.round_trip_ms = Math.max(reading.round_trip_ms, Number(stat.currentRoundTripTime) * 1_000)
    }
  }
  return reading
}

export function judge(before: Reading | null, now: Reading): LineState {
  const received = Math.max(0, now.received - (before?.received ?? 0))
  const lost = Math.max(0, now.lost - (before?.lost ?? 0))
  const total = received + lost
  const loss_permille = total === 0 ? 0 : Math.min(1_000, Math.round((lost * 1_000) / total))
  return { round_trip_ms: now.round_trip_ms, loss_permille, quality: total === 0 ? 'unknown' : grade(now.round_trip_ms, loss_permille) }
}

function grade(round_trip_ms: number, loss_permille: number): Quality {
  if (round_trip_ms > 600 || loss_permille > 80) return 'poor'
  if (round_trip_ms > 300 || loss_permille > 25) return 'fair'
  return 'good'
}
