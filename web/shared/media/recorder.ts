// Records a voice message with MediaRecorder. The duration counts from the first data, 60 s at most; cancelling leaves nothing behind.
import { ref } from 'vue'
import { troubleOf, type DeviceTrouble } from '../calls/media'

export interface Recording {
  blob: Blob
  duration_ms: number
}

const LONGEST_MS = 60_000
const SHORTEST_MS = 800
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4']

export class VoiceRecorder {
  readonly is_recording = ref(false)
  readonly elapsed_ms = ref(0)
  readonly trouble = ref<DeviceTrouble | null>(null)
  readonly too_short = ref(false)
  readonly #onFull: () => void
  #recorder: MediaRecorder | null = null
  #parts: Blob[] = []
  #started_at = 0
  #timer: ReturnType<typeof setInterval> | null = null
  /** A release before the microphone answered must not leave it open. */
  #wanted = false

  constructor(onFull: () => void) {
    this.#onFull = onFull
  }

  async start(): Promise<boolean> {
    this.#wanted = true
    this.trouble.value = null
    this.too_short.value = false
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } })
      if (!this.#wanted) {
        stream.getTracks().forEach((track) => track.stop())
        return false
      }
      this.#begin(stream)
      return true
    } catch (error) {
      this.trouble.value = navigator.mediaDevices ? troubleOf(error) : 'unsupported'
      return false
    }
  }

  /** Null when it was too short or nothing was being recorded. */
  async finish(): Promise<Recording | null> {
    this.#wanted = false
    const recorder = this.#recorder
    if (!recorder) return null
    const duration_ms = performance.now() - this.#started_at
    await this.#stop(recorder)
    const blob = new Blob(this.#parts, { type: recorder.mimeType.split(';')[0] })
    this.#parts = []
    this.too_short.value = duration_ms < SHORTEST_MS
    return this.too_short.value ? null : { blob, duration_ms: Math.round(duration_ms) }
  }

  async cancel(): Promise<void> {
    this.#wanted = false
    if (this.#recorder) await this.#stop(this.#recorder)
    this.#parts = []
  }

  #begin(stream: MediaStream): void {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type))
    const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 24_000 })
    this.#recorder = recorder
    this.#parts = []
    recorder.ondataavailable = (event) => event.data.size > 0 && this.#parts.push(event.data)
    recorder.start()
    this.#started_at = performance.now()
    this.elapsed_ms.value = 0
    this.is_recording.value = true
    this.#timer = setInterval(() => this.#tick(), 200)
  }

  #tick(): void {
    this.elapsed_ms.value = performance.now() - this.#started_at
    if (this.elapsed_ms.value >= LONGEST_MS - 500) this.#onFull()
  }

  #stop(recorder: MediaRecorder): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    this.#recorder = null
    this.is_recording.value = false
    return new Promise((resolve) => {
      recorder.onstop = () => {
        recorder.stream.getTracks().forEach((track) => track.stop())
        resolve()
      }
      recorder.stop()
    })
  }
}
