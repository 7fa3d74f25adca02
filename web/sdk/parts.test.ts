import { existsSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { decodeBase64, encodeBase64, hashPrefix } from './base64'
import { CLOSE_CODES } from './closes'
import { uuidV7 } from './id'

describe('base64', () => {
  it('agrees with the platform on every length', () => {
    for (let length = 0; length < 40; length += 1) {
      const bytes = Array.from({ length }, (_, at) => (at * 37 + length) % 256)
      const text = Buffer.from(bytes).toString('base64')
      expect(encodeBase64(bytes)).toBe(text)
      expect(decodeBase64(text)).toEqual(bytes)
    }
  })

  it('takes the first eight bytes of a hash', () => {
    const hash = Buffer.from(Array.from({ length: 32 }, (_, at) => at + 1))
    expect(hashPrefix(hash.toString('base64'))).toBe(hash.subarray(0, 8).toString('base64'))
  })
})

describe('identifiers', () => {
  it('are UUIDv7 with the time in front', () => {
    const id = uuidV7(0x0192_3456_789a, new Uint8Array(10).fill(255))
    expect(id).toBe('01923456-789a-7fff-bfff-ffffffffffff')
  })
})

describe('the close-code table', () => {
  const source = new URL('../../chat/src/errors/close.rs', import.meta.url)
  it.skipIf(!existsSync(source))('is the one of the server', () => {
    const words = { Yes: 'yes', WithNewToken: 'with_new_token', No: 'no' } as const
    const rows = [...readFileSync(source, 'utf8').matchAll(/^ {4}\w+ = (\d+), "(\w+)", (\w+), ([\d_]+),/gm)]
    expect(rows.length).toBeGreaterThan(10)
    const table = Object.fromEntries(
      rows.map(([, number, name, reconnect, within]) => [
        number,
        { name, reconnect: words[reconnect as keyof typeof words], within_ms: Number(within!.replaceAll('_', '')) },
      ]),
    )
    expect(CLOSE_CODES).toEqual(table)
  })
})

describe('the generated wire types', () => {
  it('are those of the schema', () => {
    execFileSync(process.execPath, [new URL('../scripts/wire.mjs', import.meta.url).pathname, '--check'])
  })
})
