// A photograph with where it was taken inside: drawn by the browser, an EXIF block with GPS put behind the JPEG's first marker.
import type { Page } from '@playwright/test'

const LATITUDE = [31, 13, 49] as const

export async function photoWithGps(page: Page): Promise<Buffer> {
  const drawn = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 600 })
    const pen = canvas.getContext('2d')!
    pen.fillStyle = '#e8c7b0'
    pen.fillRect(0, 0, 800, 600)
    for (let spot = 0; spot < 40; spot += 1) {
      pen.fillStyle = `rgb(200 ${60 + spot} 70)`
      pen.beginPath()
      pen.arc(80 + ((spot * 173) % 640), 60 + ((spot * 97) % 480), 6 + (spot % 9), 0, 7)
      pen.fill()
    }
    return canvas.toDataURL('image/jpeg', 0.9).split(',')[1]!
  })
  const jpeg = Buffer.from(drawn, 'base64')
  return Buffer.concat([jpeg.subarray(0, 2), exif(), jpeg.subarray(2)])
}

/** APP1 with a TIFF directory whose only entry is the GPS directory: 31°13'49" N. */
function exif(): Buffer {
  const tiff = Buffer.alloc(92)
  tiff.write('MM', 0, 'latin1')
  tiff.writeUInt16BE(42, 2)
  tiff.writeUInt32BE(8, 4)
  tiff.writeUInt16BE(1, 8) // IFD0: one entry
  entry(tiff, 10, 0x8825, 4, 1, 26)
  tiff.writeUInt32BE(0, 22)
  tiff.writeUInt16BE(2, 26) // GPS IFD: two entries
  entry(tiff, 28, 0x0001, 2, 2, 0)
  tiff.write('N\0', 36, 'latin1')
  entry(tiff, 40, 0x0002, 5, 3, 58)
  tiff.writeUInt32BE(0, 52)
  LATITUDE.forEach((part, index) => {
    tiff.writeUInt32BE(part, 58 + index * 8)
    tiff.writeUInt32BE(1, 62 + index * 8)
  })
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

function entry(tiff: Buffer, at: number, tag: number, type: number, count: number, value: number): void {
  tiff.writeUInt16BE(tag, at)
  tiff.writeUInt16BE(type, at + 2)
  tiff.writeUInt32BE(count, at + 4)
  tiff.writeUInt32BE(value, at + 8)
}

/** Whether bytes of an image carry any metadata block a camera writes. */
export function carriesMetadata(bytes: Buffer): boolean {
  return ['Exif\0', 'http://ns.adobe.com/xap', 'Photoshop 3.0', 'GPS'].some((mark) => bytes.includes(Buffer.from(mark, 'latin1')))
}
