// Median of three first paints of a page at 1.6 Mbps and 150 ms (PER-02), each in a fresh profile. Prints one JSON line.
import { chromium } from '@playwright/test'

const url = process.argv[2]
const RUNS = 3
const paints = []
for (let run = 0; run < RUNS; run += 1) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  const page = await browser.newPage({ viewport: { width: 375, height: 740 } })
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 })
  await page.goto(url, { waitUntil: 'load' })
  const paint = await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
  paints.push(await paint.jsonValue())
  await browser.close()
}
paints.sort((a, b) => a - b)
console.log(JSON.stringify({ median_ms: paints[Math.floor(RUNS / 2)], paints }))
