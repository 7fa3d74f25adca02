import { describe, expect, it } from 'vitest'
import { CallClient } from './calls'
import { ChatClient } from './client'
import { Rig } from './testing'

async function rigged() {
  const rig = new Rig()
  const chat = new ChatClient({ url: 'ws://x', user: 'me', device: 'd', client: 't', platform: rig.platform, token: async () => 'token' })
  const calls = new CallClient(chat)
  chat.start()
  await rig.clock.advance(0)
  await rig.socket.welcome()
  return { rig, chat, calls }
}

describe('CON-21 calls', () => {
  it('rings, starts and ends by the words of the server', async () => {
    const { rig, calls } = await rigged()
    const roles: boolean[] = []
    calls.on('negotiate', ({ call }) => roles.push(call.polite))
    const call = calls.invite('c', 'video')!.id
    expect(rig.socket.of('call')[0]).toEqual({ call, invite: { conversation: 'c', media: 'CALL_MEDIA_VIDEO' } })
    rig.socket.say({ call: { call, ringing: { device: 'x' } } })
    expect(calls.call?.phase).toBe('ringing')
    rig.socket.say({ call: { call, started: { polite: false, media: 'CALL_MEDIA_VIDEO', ice: {} } } })
    expect([calls.call?.phase, roles]).toEqual(['connecting', [false]])
    calls.report('connected')
    expect(calls.call?.phase).toBe('active')
    rig.socket.say({ call: { call, over: { reason: 'CALL_END_REASON_HUNG_UP', connectedMs: 4_000 } } })
    expect(calls.call).toMatchObject({ phase: 'ended', end: 'hung_up', connected_ms: 4_000 })
  })

  it('shows an incoming call and says that it rings', async () => {
    const { rig, calls } = await rigged()
    rig.socket.say({ call: { call: 'k', conversation: 'c', incoming: { from: 'doctor', media: 'CALL_MEDIA_VOICE' } } })
    expect(calls.call).toMatchObject({ phase: 'incoming', from: 'doctor', media: 'voice' })
    expect(rig.socket.of('call')[0]).toEqual({ call: 'k', ringing: {} })
    calls.accept()
    expect(rig.socket.of('call')[1]).toEqual({ call: 'k', accept: {} })
  })

  it('stops ringing when another device answered', async () => {
    const { rig, calls } = await rigged()
    rig.socket.say({ call: { call: 'k', conversation: 'c', incoming: { from: 'doctor' } } })
    rig.socket.say({ call: { call: 'k', elsewhere: { device: 'x', accepted: true } } })
    expect(calls.call).toMatchObject({ phase: 'ended', end: 'elsewhere_accepted' })
  })

  it('ends a refused invitation and names the code', async () => {
    const { rig, calls } = await rigged()
    const codes: string[] = []
    calls.on('refused', (code) => codes.push(code))
    const call = calls.invite('c', 'voice')!.id
    rig.socket.say({ error: { code: 'call_in_progress', re: call } })
    expect([codes, calls.call?.phase]).toEqual([['call_in_progress'], 'ended'])
  })

  it('cancels before the answer and hangs up after it', async () => {
    const { rig, calls } = await rigged()
    const call = calls.invite('c', 'voice')!.id
    calls.end()
    expect(rig.socket.of('call').at(-1)).toEqual({ call, cancel: {} })
    rig.socket.say({ call: { call, started: { polite: true } } })
    calls.end()
    expect(rig.socket.of('call').at(-1)).toEqual({ call, hangUp: {} })
  })

  it('attaches again on a new socket, and after a reload', async () => {
    const { rig, calls } = await rigged()
    calls.attach('k', 'c')
    expect(rig.socket.of('call')[0]).toEqual({ call: 'k', attach: {} })
    const anew: boolean[] = []
    calls.on('negotiate', (start) => anew.push(start.anew))
    rig.socket.say({ call: { call: 'k', snapshot: { phase: 'PHASE_ACTIVE', polite: true, media: 'CALL_MEDIA_VIDEO' } } })
    expect([calls.call?.phase, calls.call?.media, anew]).toEqual(['active', 'video', [true]])
    calls.media_kept = () => true
    rig.socket.drop()
    await rig.clock.advance(1_000)
    await rig.socket.welcome()
    expect(rig.socket.of('call')[0]).toEqual({ call: 'k', attach: { mediaKept: true } })
  })

  it('keeps a second tab of the same device out of the media', async () => {
    const { rig, calls } = await rigged()
    const negotiated: unknown[] = []
    calls.on('negotiate', (start) => negotiated.push(start))
    rig.socket.say({ call: { call: 'k', conversation: 'c', incoming: { from: 'doctor' } } })
    rig.socket.say({ call: { call: 'k', started: { polite: true } } })
    expect([negotiated, calls.call?.end]).toEqual([[], 'elsewhere_accepted'])
  })

  it('stays the caller when the snapshot of its own invitation comes', async () => {
    const { rig, calls } = await rigged()
    const call = calls.invite('c', 'video')!.id
    rig.socket.say({ call: { call, snapshot: { phase: 'PHASE_RINGING', media: 'CALL_MEDIA_VIDEO', deadlineMs: '1800000030000' } } })
    expect(calls.call).toMatchObject({ phase: 'ringing', outgoing: true, deadline_ms: 1_800_000_030_000 })
  })

  it('survives the refusal of a single signal', async () => {
    const { rig, calls } = await rigged()
    const call = calls.invite('c', 'voice')!.id
    rig.socket.say({ call: { call, started: { polite: false } } })
    rig.socket.say({ error: { code: 'call_signal_malformed', re: call } })
    expect(calls.call?.phase).toBe('connecting')
  })
})
