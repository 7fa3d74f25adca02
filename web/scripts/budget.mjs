// Gate on the bytes the patient app needs before its first paint (PER-02): the entry's HTML, script and style closure
// and the home page's own chunks, gzip, computed from Vite's manifest. Lazy routes do not count.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = resolve(dirname(fileURLToPath(import.meta.url)), '../dist')
const manifest = JSON.parse(readFileSync(resolve(dist, '.vite/manifest.json'), 'utf8'))

const SCREENS = [
  { name: 'patient', html: 'index.html', roots: ['index.html', 'patient/home/HomePage.vue'], wanted_kb: 100, hard_kb: 150 },
  { name: 'doctor', html: 'doctor.html', roots: ['doctor.html'], wanted_kb: 260, hard_kb: 320 },
]

function closure(roots) {
  const files = new Set()
  const seen = new Set()
  const visit = (key) => {
    const chunk = manifest[key]
    if (!chunk || seen.has(key)) return
    seen.add(key)
    files.add(chunk.file)
    for (const css of chunk.css ?? []) files.add(css)
    for (const next of chunk.imports ?? []) visit(next)
  }
  roots.forEach(visit)
  return [...files]
}

const gzipBytes = (file) => gzipSync(readFileSync(resolve(dist, file)), { level: 9 }).length

let failed = false
for (const screen of SCREENS) {
  const bytes = [screen.html, ...closure(screen.roots)].reduce((sum, file) => sum + gzipBytes(file), 0)
  const kb = bytes / 1024
  const verdict = kb <= screen.wanted_kb ? 'ok' : kb <= screen.hard_kb ? 'over the wanted size' : 'TOO LARGE'
  failed ||= kb > screen.hard_kb
  console.log(`${screen.name}: ${kb.toFixed(1)} KB gzip (wanted ${screen.wanted_kb}, hard ${screen.hard_kb}): ${verdict}`)
}
process.exit(failed ? 1 : 0)
