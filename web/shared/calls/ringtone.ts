// A ring from the sound card, no file to load. A browser that wants a gesture first stays silent; the window shows the call anyway.
export class Ringtone {
  #context: AudioContext | null = null
  #timer: ReturnType<typeof setInterval> | null = null

  start(): void {
    if (this.#timer) return
    this.#context = new AudioContext()
    this.#chime()
    this.#timer = setInterval(() => this.#chime(), 2_400)
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    void this.#context?.close()
    this.#context = null
  }

  #chime(): void {
    const context = this.#context
    if (!context || context.state !== 'running') return
    ;[660, 880, 660, 880].forEach((pitch_hz, at) => {
      const [tone, volume] = [context.createOscillator(), context.createGain()]
      const begin = context.currentTime + at * 0.22
      tone.frequency.value = pitch_hz
      volume.gain.setValueAtTime(0, begin)
      volume.gain.linearRampToValueAtTime(0.12, begin + 0.03)
      volume.gain.exponentialRampToValueAtTime(0.0001, begin + 0.2)
      tone.connect(volume).connect(context.destination)
      tone.start(begin)
      tone.stop(begin + 0.22)
    })
  }
}
