// UUIDv7 (RFC 9562) from a time and 10 random bytes, both given.

const hex = (byte: number) => byte.toString(16).padStart(2, '0')

export function uuidV7(now_ms: number, random: ArrayLike<number>): string {
  const bytes: number[] = []
  let time = now_ms
  for (let at = 5; at >= 0; at -= 1) {
    bytes[at] = time % 256
    time = Math.floor(time / 256)
  }
  for (let at = 0; at < 10; at += 1) bytes.push(random[at] ?? 0)
  bytes[6] = 0x70 | (bytes[6]! & 0x0f)
  bytes[8] = 0x80 | (bytes[8]! & 0x3f)
  const text = bytes.map(hex).join('')
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-')
}
