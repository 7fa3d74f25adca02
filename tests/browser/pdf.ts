// A PDF as its reader gets it: the text that can be searched, and the digits that are really drawn.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const pdfText = (path: string) => execFileSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' })

const DPI = 300

/**
 * The drawn shapes of a run of digits, one bitmap text a digit. A font without digits draws the same box for each, while the text
 * layer still reads right; so different digits must look different, and the same digit the same.
 */
export function drawnDigits(path: string, digits: string): Map<string, Set<string>> {
  const word = findWord(path, digits)
  const folder = mkdtempSync(join(tmpdir(), 'wenzhen-pdf-'))
  execFileSync('pdftoppm', ['-r', String(DPI), '-gray', '-f', '1', '-l', '1', '-singlefile', path, join(folder, 'page')])
  const { width, pixels } = readPgm(readFileSync(join(folder, 'page.pgm')))
  const scale = DPI / 72
  const cell = ((word.x_max - word.x_min) * scale) / word.text.length
  const shapes = new Map<string, Set<string>>()
  ;[...word.text].forEach((digit, index) => {
    if (!/\d/.test(digit)) return
    const rows: string[] = []
    for (let y = Math.floor(word.y_min * scale); y < word.y_max * scale; y += 3) {
      let row = ''
      for (let step = 0; step < 12; step += 1) {
        const x = Math.round(word.x_min * scale + cell * (index + (step + 0.5) / 12))
        row += pixels[y * width + x]! < 140 ? '#' : '.'
      }
      rows.push(row)
    }
    shapes.set(digit, (shapes.get(digit) ?? new Set()).add(rows.join('\n')))
  })
  return shapes
}

interface Word { text: string; x_min: number; x_max: number; y_min: number; y_max: number }

function findWord(path: string, digits: string): Word {
  const boxes = execFileSync('pdftotext', ['-bbox', '-f', '1', '-l', '1', path, '-'], { encoding: 'utf8' })
  for (const [, x_min, y_min, x_max, y_max, text] of boxes.matchAll(/<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]*)</g)) {
    if (text === digits) return { text, x_min: Number(x_min), x_max: Number(x_max), y_min: Number(y_min), y_max: Number(y_max) }
  }
  throw new Error(`${digits} is no word of its own on the first page`)
}

function readPgm(file: Buffer): { width: number; pixels: Buffer } {
  const [, width, height] = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(file.subarray(0, 40).toString('latin1')) ?? []
  if (!width || !height) throw new Error('not a grey picture of pdftoppm')
  return { width: Number(width), pixels: file.subarray(file.length - Number(width) * Number(height)) }
}
