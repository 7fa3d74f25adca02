// One peer connection under perfect negotiation (W3C WebRTC 1.0, §10.7): the server says who is polite, the impolite side makes
// the first offer, and every step runs in one queue, so that a glare is decided by roles and never by timing. A peer that lost its
// connection (a reload) needs a new one on both sides: the owner then throws this away and builds another.
import type { CallIce, CallSignal } from '@sdk/wire.gen'

export interface PeerParts {
  create(configuration: RTCConfiguration): RTCPeerConnection
  polite: boolean
  ice: CallIce
  local: MediaStream
  signal(signal: CallSignal): void
  onTrack(track: MediaStreamTrack): void
  onState(state: RTCPeerConnectionState): void
}

export class Peer {
  readonly #parts: PeerParts
  readonly connection: RTCPeerConnection
  #queue: Promise<void> = Promise.resolve()
  #ignored_offer = false
  #closed = false
  #tracks_added = false

  constructor(parts: PeerParts) {
    this.#parts = parts
    this.connection = this.#build(parts.ice)
    if (!parts.polite) this.#addTracks()
  }

  get state(): RTCPeerConnectionState {
    return this.connection.connectionState
  }

  /** Takes what the other side sent; errors of a stale word are swallowed, the connection state tells the truth. */
  take(signal: CallSignal): void {
    this.#enqueue(async () => {
      if (signal.offerSdp) await this.#takeOffer(signal.offerSdp)
      else if (signal.answerSdp) await this.#takeAnswer(signal.answerSdp)
      else if (signal.candidate?.candidate && !this.#ignored_offer) await this.#takeCandidate(signal.candidate)
    })
  }

  restart(ice: CallIce): void {
    if (this.#closed) return
    this.connection.setConfiguration(configurationOf(ice))
    this.connection.restartIce()
  }

  senderOf(kind: 'audio' | 'video'): RTCRtpSender | undefined {
    return this.connection.getSenders().find((sender) => sender.track?.kind === kind)
  }

  addTrack(track: MediaStreamTrack): void {
    this.connection.addTrack(track, this.#parts.local)
  }

  close(): void {
    this.#closed = true
    this.connection.close()
  }

  #build(ice: CallIce): RTCPeerConnection {
    const connection = this.#parts.create(configurationOf(ice))
    const mine = () => !this.#closed
    connection.onnegotiationneeded = () => this.#enqueue(() => this.#offer())
    connection.onicecandidate = ({ candidate }) => mine() && this.#sendCandidate(candidate)
    connection.ontrack = ({ track }) => mine() && this.#parts.onTrack(track)
    connection.onconnectionstatechange = () => mine() && this.#parts.onState(connection.connectionState)
    return connection
  }

  #addTracks(): void {
    if (this.#tracks_added) return
    this.#tracks_added = true
    this.#parts.local.getTracks().forEach((track) => this.connection.addTrack(track, this.#parts.local))
  }

  async #offer(): Promise<void> {
    // Not stable: the event fires again when it is.
    if (this.connection.signalingState !== 'stable') return
    await this.connection.setLocalDescription()
    this.#parts.signal({ offerSdp: this.connection.localDescription!.sdp })
  }

  async #takeOffer(sdp: string): Promise<void> {
    const collision = this.connection.signalingState !== 'stable'
    this.#ignored_offer = collision && !this.#parts.polite
    if (this.#ignored_offer) return
    await this.connection.setRemoteDescription({ type: 'offer', sdp })
    this.#addTracks()
    await this.connection.setLocalDescription()
    this.#parts.signal({ answerSdp: this.connection.localDescription!.sdp })
  }

  async #takeAnswer(sdp: string): Promise<void> {
    if (this.connection.signalingState === 'have-local-offer') await this.connection.setRemoteDescription({ type: 'answer', sdp })
  }

  async #takeCandidate(candidate: NonNullable<CallSignal['candidate']>): Promise<void> {
    await this.connection.addIceCandidate({
      candidate: candidate.candidate,
      sdpMid: candidate.sdpMid || null,
      sdpMLineIndex: candidate.sdpMLineIndex ?? 0,
      usernameFragment: candidate.usernameFragment || null,
    })
  }

  #sendCandidate(candidate: RTCIceCandidate | null): void {
    this.#parts.signal({
      candidate: {
        candidate: candidate?.candidate ?? '',
        sdpMid: candidate?.sdpMid ?? '',
        sdpMLineIndex: candidate?.sdpMLineIndex ?? 0,
        usernameFragment: candidate?.usernameFragment ?? '',
      },
    })
  }

  #enqueue(step: () => Promise<void>): void {
    this.#queue = this.#queue.then(() => (this.#closed ? undefined : step())).catch(() => undefined)
  }
}

export function configurationOf(ice: CallIce): RTCConfiguration {
  return {
    iceServers: (ice.servers ?? []).map((server) => ({ urls: server.urls ?? [], username: server.username, credential: server.credential })),
    iceTransportPolicy: ice.relayOnly ? 'relay' : 'all',
    bundlePolicy: 'max-bundle',
  }
}
