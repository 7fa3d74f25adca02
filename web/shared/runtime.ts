// Everything a signed-in page stands on, built once per app: session, HTTP, socket, calls. Vue state that several pages read
// (connection, unread) is in the Pinia stores of the apps; this file only owns the parts and their life.
import { shallowRef, watch, type ShallowRef } from 'vue'
import { CallClient, ChatClient } from '@sdk/index'
import { Http } from './api/http'
import { deviceId, SessionStore } from './api/session'
import { CallEngine } from './calls/engine'
import { captureFromBrowser } from './calls/media'
import { browserPlatform, socketUrl } from './platform'

export interface Live {
  chat: ChatClient
  calls: CallClient
  engine: CallEngine
}

export interface Runtime {
  session: SessionStore
  http: Http
  /** Present while somebody is signed in. */
  live: ShallowRef<Live | null>
}

let current: Runtime | null = null

export function useRuntime(): Runtime {
  if (!current) throw new Error('startRuntime comes first')
  return current
}

/** `onSignedOut` is called when the session ended without the person asking for it. */
export function startRuntime(app: 'patient' | 'doctor', onSignedOut: (reason: string) => void): Runtime {
  const session = new SessionStore(app)
  const http = new Http(session, () => onSignedOut('session_revoked'))
  const live = shallowRef<Live | null>(null)
  current = { session, http, live }

  watch(
    () => session.current.value?.user.id,
    (user) => {
      live.value?.chat.stop()
      live.value?.calls.stop()
      live.value = user ? goLive(app, user, http, (reason) => ended(session, reason, onSignedOut)) : null
    },
    { immediate: true },
  )
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && live.value?.chat.wake())
  window.addEventListener('online', () => live.value?.chat.wake())
  window.addEventListener('offline', () => live.value?.chat.networkLost())
  return current
}

function ended(session: SessionStore, reason: string, onSignedOut: (reason: string) => void): void {
  if (reason === 'revoked' || reason === 'signed_out') session.clear()
  onSignedOut(reason)
}

function goLive(app: string, user: string, http: Http, onEnded: (reason: string) => void): Live {
  const chat = new ChatClient({
    url: socketUrl(),
    user,
    device: deviceId(),
    client: `web-${app}/0.1`,
    platform: browserPlatform,
    token: (renew) => http.accessToken(renew),
  })
  const calls = new CallClient(chat)
  const engine = new CallEngine({
    calls,
    createPeer: (configuration) => new RTCPeerConnection(configuration),
    capture: captureFromBrowser,
    memory: sessionStorage,
  })
  chat.on('ended', onEnded)
  const off = chat.on('welcome', () => {
    off()
    engine.resumeAfterReload()
  })
  chat.start()
  return { chat, calls, engine }
}
