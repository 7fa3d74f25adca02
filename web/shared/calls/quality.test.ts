import { describe, expect, it } from 'vitest'
import { judge, readStats } from './quality'

describe('quality of the line', () => {
  it('counts only what was lost since the last reading', () => {
    const state = judge({ received: 1_000, lost: 500, round_trip_ms: 0 }, { received: 1_990, lost: 510, round_trip_ms: 40 })
    expect(state).toEqual({ round_trip_ms: 40, loss_permille: 10, quality: 'good' })
  })

  it('is poor with one packet in ten lost, fair with a long way', () => {
    expect(judge(null, { received: 900, lost: 100, round_trip_ms: 20 }).quality).toBe('poor')
    expect(judge(null, { received: 900, lost: 0, round_trip_ms: 400 }).quality).toBe('fair')
  })

  it('claims nothing before media flows', () => {
    expect(judge(null, { received: 0, lost: 0, round_trip_ms: 0 }).quality).toBe('unknown')
  })

  it('reads the nominated pair and all inbound streams', () => {
    const report = new Map<string, Record<string, unknown>>([
      ['a', { type: 'inbound-rtp', packetsReceived: 5, packetsLost: 1 }],
      ['b', { type: 'inbound-rtp', packetsReceived: 7, packetsLost: -1 }],
      ['c', { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.05 }],
      ['d', { type: 'candidate-pair', nominated: false, currentRoundTripTime: 9 }],
    ])
    expect(readStats(report)).toEqual({ received: 12, lost: 1, round_trip_ms: 50 })
  })
})
