// Every page of both apps, light, dark and elder (UXA-02, UXA-03, REG-72): axe finds nothing, nothing scrolls sideways at 375 px, and in
// elder mode text is at least 18 px and what is tapped at least 60 px high.
import { expect, test, type Page } from '@playwright/test'
import { look, PASSWORD, phone, screen, signInDoctor } from './people'
import { Server } from './server'

const MODES = {
  light: { appearance: 'light', elder: false },
  dark: { appearance: 'dark', elder: false },
  elder: { appearance: 'light', elder: true },
} as const
type Mode = keyof typeof MODES

const PATIENT_PAGES = ['/', '/search', '/departments', '/doctors', '/emergency', '/hospital', '/notices/privacy', '/settings', '/orders', '/consultations', '/records', '/messages', '/me', '/me/profile', '/me/devices']
const DOCTOR_PAGES = ['/doctor/', '/doctor/messages', '/doctor/settings']
const server = new Server()

test.beforeAll(() => server.start())
test.afterAll(() => server.remove())

async function wear(page: Page, mode: Mode): Promise<void> {
  await page.evaluate((theme) => localStorage.setItem('wz.theme', JSON.stringify(theme)), { ...MODES[mode], elder_text_px: 20 })
}

/** Loaded: no skeleton is left, and it is not an error page. */
async function settled(page: Page): Promise<void> {
  await expect(page.locator('main, [data-testid]').first()).toBeVisible()
  await expect(page.getByTestId('skeleton')).toHaveCount(0)
  await expect(page.getByTestId('problem')).toHaveCount(0)
}

const nameOf = (path: string) => path.replaceAll('/', ' ').trim().replaceAll(' ', '-') || 'home'

async function walk(page: Page, paths: string[], mode: Mode): Promise<void> {
  for (const path of paths) {
    await page.goto(path)
    await settled(page)
    await look(page, `${mode}-${nameOf(path)}`)
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(sideways, `${path} scrolls sideways in ${mode}`).toBeLessThanOrEqual(0)
  }
}

async function tooSmall(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    for (const element of document.querySelectorAll<HTMLElement>('button, a.btn, nav a, select, input:not([type=radio]):not([type=checkbox]):not(.sr-only)')) {
      const box = element.getBoundingClientRect()
      if (box.width > 0 && box.height > 0 && box.height < 59.5) found.push(`${Math.round(box.height)} px: ${element.outerHTML.slice(0, 120)}`)
    }
    const text = parseFloat(getComputedStyle(document.body).fontSize)
    if (text < 18) found.push(`text is ${text} px`)
    return found
  })
}

for (const mode of Object.keys(MODES) as Mode[]) {
  test(`the patient's pages, ${mode}`, async ({ browser }) => {
    const page = await phone(browser, server.url)
    await page.goto('/sign-in')
    await wear(page, mode)
    await page.reload()
    await look(page, `${mode}-sign-in`)
    await page.getByTestId('way-password').check({ force: true })
    await page.getByTestId('phone').fill('13800000001')
    await page.getByTestId('password').fill(PASSWORD)
    await page.getByTestId('submit').click()
    await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
    await walk(page, PATIENT_PAGES, mode)
    if (mode === 'elder') {
      for (const path of ['/', '/doctors', '/me']) {
        await page.goto(path)
        await settled(page)
        expect(await tooSmall(page), `${path} in elder mode`).toEqual([])
      }
    }
    await page.context().close()
  })

  test(`the doctor's pages, ${mode}`, async ({ browser }) => {
    const page = await screen(browser, server.url)
    await page.goto('/doctor')
    await wear(page, mode)
    await signInDoctor(page, 'doctor04')
    await walk(page, DOCTOR_PAGES, mode)
    await page.context().close()
  })
}
