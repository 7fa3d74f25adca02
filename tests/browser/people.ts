// A patient's phone and a doctor's screen, each a browser context of its own, and what both do again and again.
import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Browser, type BrowserContext, type Page } from '@playwright/test'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'

export const PASSWORD = 'wenzhen-2026'
const PICTURES = resolve(process.env.WENZHEN_PICTURES ?? 'results/pictures')

/** Keeps every peer connection of the page where a test can ask it for statistics. */
function keepPeers() {
  const kept: RTCPeerConnection[] = []
  const Native = window.RTCPeerConnection
  Object.assign(window, { peers: kept })
  window.RTCPeerConnection = new Proxy(Native, {
    construct(target, given) {
      const peer = new target(...(given as [RTCConfiguration]))
      kept.push(peer)
      return peer
    },
  })
}

async function open(browser: Browser, options: Parameters<Browser['newContext']>[0]): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ permissions: ['microphone', 'camera'], acceptDownloads: true, ...options })
  await context.addInitScript(keepPeers)
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    throw new Error(`an uncaught error in the page: ${error.message}`)
  })
  return page
}

export const phone = (browser: Browser, url: string) => open(browser, { baseURL: url, viewport: { width: 375, height: 780 }, hasTouch: true, deviceScaleFactor: 2 })
export const screen = (browser: Browser, url: string) => open(browser, { baseURL: url, viewport: { width: 1366, height: 768 } })

/** A screenshot of the page, and an axe check of what is on it. */
export async function look(page: Page, name: string, { axe = true } = {}): Promise<void> {
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: resolve(PICTURES, `${name}.png`), animations: 'disabled' })
  if (!axe) return
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']).analyze()
  const found = violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).slice(0, 3).join(' | ')}`)
  expect(found, `accessibility of ${name}`).toEqual([])
}

/** The newest code the SMS simulator sent to this number, read where a person of the demo reads it. */
export async function smsCode(page: Page, number: string): Promise<string> {
  const inbox = await page.request.get('/demo/inbox')
  expect(inbox.ok()).toBe(true)
  const text = (await inbox.text()).replace(/<[^>]*>/g, ' ')
  const at = text.indexOf(number)
  expect(at, `a message to ${number}`).toBeGreaterThanOrEqual(0)
  const code = /\b\d{6}\b/.exec(text.slice(at + number.length))
  expect(code, 'a code of six digits').not.toBeNull()
  return code![0]
}

export async function register(page: Page, number: string, name: string): Promise<void> {
  await page.goto('/register')
  await page.getByTestId('phone').fill(number)
  await page.getByTestId('send-code').click()
  await expect(page.getByTestId('send-code')).toBeDisabled()
  await expect.poll(async () => (await (await page.request.get('/demo/inbox')).text()).includes(number)).toBe(true)
  await page.getByTestId('code').fill(await smsCode(page, number))
  await page.getByTestId('name').fill(name)
  await page.getByTestId('password').fill(PASSWORD)
  await page.getByTestId('password-again').fill(PASSWORD)
  await page.getByTestId('agree').check()
  await look(page, 'patient-register')
  await page.getByTestId('submit').click()
  await page.waitForURL((url) => !url.pathname.startsWith('/register'))
}

export async function signInDoctor(page: Page, account: string): Promise<void> {
  await page.goto('/doctor')
  await page.getByTestId('account').fill(account)
  await page.getByTestId('password').fill(PASSWORD)
  await look(page, 'doctor-sign-in')
  await page.getByTestId('submit').click()
  await expect(page.getByTestId('list-waiting')).toBeVisible()
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('message-input').fill(text)
  await page.getByTestId('send').click()
}

/** Frames the page's peer connections have decoded so far. */
export function framesDecoded(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { peers } = window as unknown as { peers: RTCPeerConnection[] }
    let frames = 0
    for (const peer of peers) {
      for (const report of (await peer.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'video') frames += report.framesDecoded ?? 0
      }
    }
    return frames
  })
}
