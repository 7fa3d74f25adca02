// Camera and microphone: asking for them, falling back, and naming what is wrong in a word the catalogue translates.

export type DeviceTrouble = 'denied' | 'missing' | 'in_use' | 'unsupported'

export interface Captured {
  stream: MediaStream
  /** The camera was wanted and could not be had; the microphone works. */
  camera: DeviceTrouble | null
}

export type Capture = (constraints: MediaStreamConstraints) => Promise<MediaStream>

export const captureFromBrowser: Capture = (constraints) => {
  if (!navigator.mediaDevices) throw Object.assign(new Error('media'), { name: 'NotSupportedError' })
  return navigator.mediaDevices.getUserMedia(constraints)
}

const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
export const VIDEO: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 }, facingMode: 'user' }

/** Throws `DeviceTrouble` as the message when there is no microphone either. */
export async function captureFor(media: 'voice' | 'video', capture: Capture): Promise<Captured> {
  if (media === 'voice') return { stream: await audioOnly(capture), camera: null }
  try {
    return { stream: await capture({ audio: AUDIO, video: VIDEO }), camera: null }
  } catch (error) {
    const camera = troubleOf(error)
    return { stream: await audioOnly(capture), camera }
  }
}

async function audioOnly(capture: Capture): Promise<MediaStream> {
  try {
    return await capture({ audio: AUDIO })
  } catch (error) {
    throw new Error(troubleOf(error))
  }
}

export function troubleOf(error: unknown): DeviceTrouble {
  const name = (error as { name?: string }).name ?? ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing'
  if (name === 'NotReadableError' || name === 'AbortError') return 'in_use'
  return 'unsupported'
}

export function stopStream(stream: MediaStream | null): void {
  stream?.getTracks().forEach((track) => track.stop())
}
