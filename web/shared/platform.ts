// The browser as the SDK's platform.
import { uuidV7, type Platform } from '@sdk/index'

export const newId = () => uuidV7(Date.now(), crypto.getRandomValues(new Uint8Array(10)))

export const browserPlatform: Platform = {
  connect(url, protocols, events) {
    const socket = new WebSocket(url, protocols)
    socket.onopen = () => events.open()
    socket.onmessage = (event) => typeof event.data === 'string' && events.message(event.data)
    socket.onclose = (event) => events.close(event.code, event.reason)
    return {
      send: (text) => socket.send(text),
      close: (code) => socket.close(code),
    }
  },
  store: {
    get: (key) => localStorage.getItem(key),
    set: (key, value) => localStorage.setItem(key, value),
    remove: (key) => localStorage.removeItem(key),
  },
  clock: {
    now: () => Date.now(),
    after(delay_ms, run) {
      const timer = setTimeout(run, delay_ms)
      return { cancel: () => clearTimeout(timer) }
    },
  },
  chance: () => Math.random(),
  newId,
}

export function socketUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/socket`
}
