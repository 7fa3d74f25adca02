// Base64 without `atob`, which the mini program lacks. Used for hash prefixes only.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export function decodeBase64(text: string): number[] {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter === '-' ? '+' : letter === '_' ? '/' : letter)
    if (value < 0) break
    held = (held << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes.push((held >> bits) & 0xff)
    }
  }
  return bytes
}

export function encodeBase64(bytes: readonly number[]): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.slice(at, at + 3)
    const group = (a << 16) | (b << 8) | c
    const letters = [18, 12, 6, 0].map((shift) => ALPHABET[(group >> shift) & 63])
    const kept = Math.min(3, bytes.length - at) + 1
    text += letters.slice(0, kept).join('') + '='.repeat(4 - kept)
  }
  return text
}

/** The first 8 bytes of a hash, as a cursor carries them. */
export function hashPrefix(hash: string): string {
  return encodeBase64(decodeBase64(hash.slice(0, 12)).slice(0, 8))
}
