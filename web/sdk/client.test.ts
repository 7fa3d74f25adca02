import { describe, expect, it } from 'vitest'
import { hashPrefix } from './base64'
import { ChatClient } from './client'
import { entry, hashOf, Rig } from './testing'

const C = 'conversation-1'

async function connected(rig = new Rig(), token = async () => 'token') {
  const client = new ChatClient({ url: 'ws://x/v1/socket', user: 'me', device: 'd', client: 'test', platform: rig.platform, token })
  client.start()
  await rig.clock.advance(0)
  await rig.socket.welcome()
  return { rig, client }
}

describe('connecting', () => {
  it('says hello with the token first, and never in the address', async () => {
    const { rig } = await connected()
    expect(rig.socket.sent[0]).toEqual({ hello: { accessToken: 'token', device: 'd', client: 'test' } })
  })

  it('comes back by itself after a lost connection, waiting longer each time', async () => {
    const { rig, client } = await connected()
    rig.socket.drop()
    expect(client.state).toBe('waiting')
    await rig.clock.advance(374)
    expect(rig.sockets).toHaveLength(1)
    await rig.clock.advance(1)
    expect(rig.sockets).toHaveLength(2)
    rig.socket.drop()
    await rig.clock.advance(749)
    expect(rig.sockets).toHaveLength(2)
    await rig.clock.advance(1)
    expect(rig.sockets).toHaveLength(3)
  })

  it('adds the window a draining server names', async () => {
    const { rig } = await connected()
    rig.socket.drop(4000, 'drain;within_ms=8000')
    await rig.clock.advance(4_374)
    expect(rig.sockets).toHaveLength(1)
    await rig.clock.advance(1)
    expect(rig.sockets).toHaveLength(2)
  })

  it('stays away when the session was revoked', async () => {
    const { rig, client } = await connected()
    const ended: string[] = []
    client.on('ended', (reason) => ended.push(reason))
    rig.socket.drop(4004, 'revoked')
    await rig.clock.advance(120_000)
    expect([client.state, ended, rig.sockets.length]).toEqual(['closed', ['revoked'], 1])
  })

  it('asks for a new token after its own ran out', async () => {
    const asked: boolean[] = []
    const rig = new Rig()
    const client = new ChatClient({
      url: 'ws://x', user: 'me', device: 'd', client: 't', platform: rig.platform,
      token: async (renew?: boolean) => (asked.push(renew ?? false), 'token'),
    })
    client.start()
    await rig.clock.advance(0)
    await rig.socket.welcome()
    rig.socket.drop(4003, 'token_expired;within_ms=1000')
    await rig.clock.advance(2_000)
    expect(asked).toEqual([false, true])
  })

  it('ends when nobody may sign in any more, but not when the network is away', async () => {
    const rig = new Rig()
    let failure: object = { temporary: true }
    const client = new ChatClient({ url: 'ws://x', user: 'me', device: 'd', client: 't', platform: rig.platform, token: () => Promise.reject(failure) })
    client.start()
    await rig.clock.advance(1)
    expect(client.state).toBe('waiting')
    failure = { temporary: false }
    await rig.clock.advance(60_000)
    expect(client.state).toBe('closed')
  })

  it('refreshes the token in-band before it expires', async () => {
    const { rig } = await connected()
    const minutes = async (count: number) => {
      for (let step = 0; step < count * 6; step += 1) {
        await rig.clock.advance(10_000)
        rig.socket.say({ pong: {} })
      }
    }
    await minutes(8)
    expect(rig.socket.of('refresh')).toEqual([])
    await minutes(1)
    expect(rig.socket.of('refresh')).toEqual([{ accessToken: 'token' }])
    expect(rig.sockets).toHaveLength(1)
  })

  it('gives a silent line up after an unanswered ping', async () => {
    const { rig, client } = await connected()
    await rig.clock.advance(15_000)
    expect(rig.socket.of('ping')).toHaveLength(1)
    await rig.clock.advance(8_000)
    expect(client.state).toBe('waiting')
  })
})

describe('sending', () => {
  it('shows the message at once and settles it by the acknowledgement', async () => {
    const { rig, client } = await connected()
    const timeline = client.open(C)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1)], headSeq: '1' } })
    const id = client.send(C, { text: { text: 'hello' } })
    expect(client.pending(C).map((item) => item.state)).toEqual(['sending'])
    rig.socket.say({ sent: { id, conversation: C, seq: '2', atMs: '1800000000001', hash: hashOf(2) } })
    expect(client.pending(C)).toEqual([])
    expect(timeline.messages.map((message) => [message.seq, message.sender])).toEqual([[1, 'other'], [2, 'me']])
  })

  it('never shows it twice when the entry comes as well', async () => {
    const { rig, client } = await connected()
    const timeline = client.open(C)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1)], headSeq: '1' } })
    const id = client.send(C, { text: { text: 'hello' } })
    rig.socket.say({ entry: { ...entry(C, 2, 'me', 'hello'), id } })
    rig.socket.say({ sent: { id, conversation: C, seq: '2' } })
    rig.socket.say({ entry: { ...entry(C, 2, 'me', 'hello'), id } })
    expect(timeline.messages).toHaveLength(2)
    expect(client.pending(C)).toEqual([])
  })

  it('sends again with the same id after a reconnect, also after a reload', async () => {
    const { rig, client } = await connected()
    const id = client.send(C, { text: { text: 'hello' } })
    rig.socket.drop()
    client.stop()
    const reloaded = await connected(rig)
    expect(reloaded.rig.socket.of('send').map((send) => send.id)).toEqual([id])
    expect(reloaded.client.pending(C)[0]?.state).toBe('sending')
  })

  it('keeps a refused message with its code until the person retries', async () => {
    const { rig, client } = await connected()
    const id = client.send(C, { text: { text: 'hello' } })
    rig.socket.say({ error: { code: 'not_open', re: id } })
    expect(client.pending(C)[0]).toMatchObject({ state: 'failed', code: 'not_open' })
    client.retry(id)
    expect(client.pending(C)[0]?.state).toBe('sending')
    expect(rig.socket.of('send')).toHaveLength(2)
  })

  it('repeats by itself what was refused for the moment only', async () => {
    const { rig, client } = await connected()
    const id = client.send(C, { text: { text: 'hello' } })
    rig.socket.say({ error: { code: 'rate_limited', temporary: true, retryAfterMs: 1_000, re: id } })
    await rig.clock.advance(1_000)
    expect(rig.socket.of('send').map((send) => send.id)).toEqual([id, id])
  })

  it('says within 3 s that the line is slow, and after 20 s that there was no answer', async () => {
    const { rig, client } = await connected()
    client.send(C, { text: { text: 'hello' } })
    await rig.clock.advance(3_000)
    expect(client.stalled).toBe(true)
    rig.socket.say({ pong: {} })
    await rig.clock.advance(14_000)
    rig.socket.say({ pong: {} })
    await rig.clock.advance(3_000)
    expect(client.pending(C)[0]).toMatchObject({ state: 'failed', code: 'no_answer' })
  })
})

describe('gaps and resume', () => {
  it('pulls what is missing as soon as it sees a hole, and shows in order', async () => {
    const { rig, client } = await connected()
    const timeline = client.open(C)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1)], headSeq: '1' } })
    rig.socket.say({ entry: entry(C, 4) })
    expect(timeline.messages.map((message) => message.seq)).toEqual([1])
    expect(rig.socket.of('pull')[1]).toEqual({ conversation: C, fromSeq: '2', limit: 3, hashPrefix: hashPrefix(hashOf(1)) })
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 2), entry(C, 3)], headSeq: '4', fromSeq: '2' } })
    expect(timeline.messages.map((message) => message.seq)).toEqual([1, 2, 3, 4])
  })

  it('resumes with one cursor for each open conversation', async () => {
    const { rig, client } = await connected()
    client.open(C)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1), entry(C, 2)], headSeq: '2' } })
    rig.socket.drop()
    await rig.clock.advance(1_000)
    await rig.socket.welcome()
    expect(rig.socket.of('resume')).toEqual([{ cursors: [{ conversation: C, seq: '2', hashPrefix: hashPrefix(hashOf(2)) }] }])
    expect(rig.socket.of('pull')).toEqual([])
  })

  it('pulls with credit in lag mode until it is current', async () => {
    const { rig, client } = await connected()
    const timeline = client.open(C)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1)], headSeq: '1' } })
    rig.socket.say({ heads: { lagging: true, heads: [{ conversation: C, seq: '3' }] } })
    expect(rig.socket.of('pull')).toHaveLength(2)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 2)], headSeq: '3', fromSeq: '2' } })
    expect(rig.socket.of('pull')).toHaveLength(3)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 3)], headSeq: '3', fromSeq: '3' } })
    expect(timeline.messages).toHaveLength(3)
    expect(rig.socket.of('pull')).toHaveLength(3)
  })

  it('starts over when the history is another one', async () => {
    const { rig, client } = await connected()
    const timeline = client.open(C)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1), entry(C, 2)], headSeq: '2' } })
    rig.socket.say({ historyChanged: { conversation: C, head: { conversation: C, seq: '1' } } })
    expect(timeline.messages).toEqual([])
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1, 'other', 'restored')], headSeq: '1' } })
    expect(timeline.messages).toHaveLength(1)
  })

  it('pages backwards without a hole', async () => {
    const { rig, client } = await connected()
    const timeline = client.open(C)
    const page = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => entry(C, from + at))
    rig.socket.say({ page: { conversation: C, entries: page(60, 100), headSeq: '100', fromSeq: '60' } })
    client.loadOlder(C)
    expect(rig.socket.of('pull')[1]).toMatchObject({ fromSeq: '10', limit: 50 })
    rig.socket.say({ page: { conversation: C, entries: page(10, 59), headSeq: '100', fromSeq: '10' } })
    expect([timeline.first_seq, timeline.messages.length]).toEqual([10, 91])
  })
})

describe('marks, typing, presence', () => {
  it('acknowledges what arrived, coalesced, and what was read', async () => {
    const { rig, client } = await connected()
    client.open(C)
    rig.socket.say({ page: { conversation: C, entries: [entry(C, 1)], headSeq: '1' } })
    rig.socket.say({ entry: entry(C, 2) })
    await rig.clock.advance(300)
    expect(rig.socket.of('delivered')).toEqual([{ conversation: C, upToSeq: '2' }])
    client.markRead(C, 2)
    await rig.clock.advance(300)
    expect(rig.socket.of('read')).toEqual([{ conversation: C, upToSeq: '2' }])
  })

  it('marks of others only grow', async () => {
    const { rig, client } = await connected()
    const timeline = client.open(C)
    rig.socket.say({ marks: { conversation: C, user: 'other', deliveredSeq: '5', readSeq: '3' } })
    rig.socket.say({ marks: { conversation: C, user: 'other', deliveredSeq: '4' } })
    expect(timeline.marksOfOthers('me')).toEqual({ delivered_seq: 5, read_seq: 3 })
  })

  it('typing ends by itself, and is said at most every three seconds', async () => {
    const { rig, client } = await connected()
    client.typing(C, true)
    client.typing(C, true)
    expect(rig.socket.of('typing')).toHaveLength(1)
    rig.socket.say({ typing: { conversation: C, user: 'other', active: true } })
    expect(client.isTyping(C, 'other')).toBe(true)
    await rig.clock.advance(6_000)
    expect(client.isTyping(C, 'other')).toBe(false)
  })

  it('watches everybody that some page watches, again after a reconnect', async () => {
    const { rig, client } = await connected()
    const off = client.watch(['a', 'b'])
    client.watch(['b'])
    off()
    expect(rig.socket.of('watchPresence').at(-1)).toEqual({ users: ['b'] })
    rig.socket.drop()
    await rig.clock.advance(1_000)
    await rig.socket.welcome()
    expect(rig.socket.of('watchPresence')).toEqual([{ users: ['b'] }])
  })
})
