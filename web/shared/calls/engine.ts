// The media half of a call: camera and microphone, the peer connection, quality, fallback from video to voice. It follows the
// states of the SDK's CallClient and never decides them. One engine per page; `call` drives the call window.
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { Call, CallClient } from '@sdk/index'
import type { CallIce, CallSignal } from '@sdk/wire.gen'
import { captureFor, stopStream, troubleOf, VIDEO, type Capture, type DeviceTrouble } from './media'
import { Peer } from './peer'
import { judge, readStats, type LineState, type Reading } from './quality'

export interface EngineParts {
  calls: CallClient
  createPeer(configuration: RTCConfiguration): RTCPeerConnection
  capture: Capture
  /** Where a reload finds the call again; a tab's own storage. */
  memory: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
}

const STATS_EVERY_MS = 2_000
const REPORT_EVERY = 3
const RESTART_AFTER_MS = 2_500
const MEMORY_KEY = 'wz.call'

export class CallEngine {
  readonly call: ShallowRef<Call | null>
  readonly local: ShallowRef<MediaStream | null> = shallowRef(null)
  readonly remote: ShallowRef<MediaStream | null> = shallowRef(null)
  readonly muted = ref(false)
  readonly camera_off = ref(false)
  readonly remote_video = ref(false)
  readonly trouble: Ref<DeviceTrouble | null> = ref(null)
  readonly refused: Ref<string> = ref('')
  readonly line: Ref<LineState> = ref({ round_trip_ms: 0, loss_permille: 0, quality: 'unknown' })
  readonly #parts: EngineParts
  #peer: Peer | null = null
  /** What the other side said while the devices were still being opened here. */
  #early: CallSignal[] = []
  #reading: Reading | null = null
  #stats: ReturnType<typeof setInterval> | null = null
  #restart: ReturnType<typeof setTimeout> | null = null
  #ticks = 0

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.call = shallowRef(parts.calls.call)
    parts.calls.media_kept = () => this.#peer !== null && this.#peer.state !== 'closed'
    parts.calls.on('call', (call) => this.#followCall(call))
    parts.calls.on('negotiate', ({ call, ice, anew }) => void this.#negotiate(call, ice, anew))
    parts.calls.on('signal', (signal) => (this.#peer ? this.#peer.take(signal) : this.#early.push(signal)))
    parts.calls.on('ice', (ice) => this.#peer?.restart(ice))
    parts.calls.on('advice', (advice) => (advice === 'ice_restart' ? this.#askForRestart() : this.dropVideo()))
    parts.calls.on('refused', (code) => (this.refused.value = code))
  }

  /** The conversation of a call that was live when this tab was reloaded, if any. Call once, when the socket is there. */
  resumeAfterReload(): void {
    try {
      const held = JSON.parse(this.#parts.memory.getItem(MEMORY_KEY) ?? 'null') as { call: string; conversation: string } | null
      if (held) this.#parts.calls.attach(held.call, held.conversation)
    } catch {
      this.#parts.memory.removeItem(MEMORY_KEY)
    }
  }

  /** Asks for the devices first, so that nobody is rung by somebody who cannot speak. */
  async invite(conversation: string, media: Call['media']): Promise<boolean> {
    if (this.#parts.calls.is_live) return false
    if (!(await this.#prepare(media))) return false
    const call = this.#parts.calls.invite(conversation, media)
    if (!call) this.#release()
    return call !== null
  }

  async accept(media?: Call['media']): Promise<boolean> {
    const call = this.call.value
    if (!call || !(await this.#prepare(media ?? call.media))) return false
    this.#parts.calls.accept()
    return true
  }

  decline(): void {
    this.#parts.calls.reject('declined')
  }

  end(): void {
    this.#parts.calls.end()
  }

  dismiss(): void {
    this.#parts.calls.dismiss()
    this.trouble.value = null
    this.refused.value = ''
  }

  toggleMute(): void {
    this.muted.value = !this.muted.value
    this.local.value?.getAudioTracks().forEach((track) => (track.enabled = !this.muted.value))
  }

  async toggleCamera(): Promise<void> {
    const tracks = this.local.value?.getVideoTracks() ?? []
    if (tracks.length === 0) return this.call.value?.media === 'video' ? this.#addCamera() : undefined
    this.camera_off.value = !this.camera_off.value
    tracks.forEach((track) => (track.enabled = !this.camera_off.value))
  }

  /** Video to voice inside the same call: saves a bad line. Both sides follow. */
  dropVideo(): void {
    if (this.call.value?.media === 'video') this.#parts.calls.changeMedia('voice')
  }

  #followCall(call: Call | null): void {
    const before = this.call.value
    this.call.value = call
    if (call && call.phase !== 'ended') this.#remember(call)
    if (!call || call.phase === 'ended') this.#release()
    else if (before?.media === 'video' && call.media === 'voice') this.#stopCamera()
  }

  async #negotiate(call: Call, ice: CallIce, anew: boolean): Promise<void> {
    if (this.#peer && !anew) {
      // The socket was replaced, the media may be fine: touch nothing that works.
      if (this.#peer.state === 'failed' || this.#peer.state === 'disconnected') this.#peer.restart(ice)
      else if (this.#peer.state === 'connected') this.#parts.calls.report('connected')
      return
    }
    this.#dropPeer()
    if (!this.local.value && !(await this.#prepare(call.media))) return this.end()
    if (this.#parts.calls.call?.id !== call.id || !this.local.value) return
    this.#peer = new Peer({
      create: this.#parts.createPeer,
      polite: call.polite,
      ice,
      local: this.local.value,
      signal: (signal) => this.#parts.calls.signal(signal),
      onTrack: (track) => this.#takeTrack(track),
      onState: (state) => this.#peerState(state),
    })
    this.#early.splice(0).forEach((signal) => this.#peer?.take(signal))
    this.#stats = setInterval(() => void this.#measure(), STATS_EVERY_MS)
  }

  #dropPeer(): void {
    if (this.#stats) clearInterval(this.#stats)
    if (this.#restart) clearTimeout(this.#restart)
    this.#stats = this.#restart = this.#reading = null
    this.#peer?.close()
    this.#peer = null
    this.remote.value = null
    this.remote_video.value = false
  }

  async #prepare(media: Call['media']): Promise<boolean> {
    this.trouble.value = null
    this.refused.value = ''
    if (this.local.value) return true
    try {
      const captured = await captureFor(media, this.#parts.capture)
      this.local.value = captured.stream
      this.trouble.value = captured.camera
      this.camera_off.value = captured.stream.getVideoTracks().length === 0
      return true
    } catch (error) {
      this.trouble.value = (error as Error).message as DeviceTrouble
      return false
    }
  }

  #takeTrack(track: MediaStreamTrack): void {
    const kept = (this.remote.value?.getTracks() ?? []).filter((held) => held.kind !== track.kind)
    this.remote.value = new MediaStream([...kept, track])
    if (track.kind !== 'video') return
    const shown = () => (this.remote_video.value = !track.muted && track.readyState === 'live')
    track.onmute = track.onunmute = track.onended = shown
    shown()
  }

  #peerState(state: RTCPeerConnectionState): void {
    if (this.#restart) clearTimeout(this.#restart)
    this.#restart = null
    if (state === 'connected') this.#parts.calls.report('connected')
    if (state === 'disconnected' || state === 'failed') {
      this.#parts.calls.report('reconnecting')
      this.#restart = setTimeout(() => this.#askForRestart(), state === 'failed' ? 0 : RESTART_AFTER_MS)
    }
  }

  /** New credentials first (they are short-lived); `ice` then restarts. */
  #askForRestart(): void {
    this.#parts.calls.askForIce()
  }

  async #measure(): Promise<void> {
    const peer = this.#peer
    if (!peer || peer.state !== 'connected') return
    const reading = readStats((await peer.connection.getStats()) as unknown as Map<string, Record<string, unknown>>)
    this.line.value = judge(this.#reading, reading)
    this.#reading = reading
    this.#ticks += 1
    if (this.#ticks % REPORT_EVERY === 0) this.#parts.calls.report('connected', this.line.value.round_trip_ms, this.line.value.loss_permille)
  }

  async #addCamera(): Promise<void> {
    try {
      const track = (await this.#parts.capture({ video: VIDEO })).getVideoTracks()[0]
      if (!track || !this.local.value) return
      this.local.value = new MediaStream([...this.local.value.getTracks(), track])
      this.#peer?.addTrack(track)
      this.camera_off.value = false
    } catch (error) {
      this.trouble.value = troubleOf(error)
    }
  }

  #stopCamera(): void {
    const tracks = this.local.value?.getVideoTracks() ?? []
    void this.#peer?.senderOf('video')?.replaceTrack(null)
    tracks.forEach((track) => track.stop())
    if (this.local.value) this.local.value = new MediaStream(this.local.value.getAudioTracks())
    this.camera_off.value = true
    this.remote_video.value = false
  }

  #remember(call: Call): void {
    if (call.phase === 'inviting' || call.phase === 'incoming') return
    this.#parts.memory.setItem(MEMORY_KEY, JSON.stringify({ call: call.id, conversation: call.conversation }))
  }

  #release(): void {
    this.#parts.memory.removeItem(MEMORY_KEY)
    this.#dropPeer()
    this.#early = []
    stopStream(this.local.value)
    this.local.value = null
    this.muted.value = this.camera_off.value = false
    this.line.value = { round_trip_ms: 0, loss_permille: 0, quality: 'unknown' }
  }
}
