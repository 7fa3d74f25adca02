// A whole consultation between two real browsers (S1): phone sign-in, search, intake with a photo, payment, acceptance, text, pictures
// and voice, a video call, a reload in the middle, the record, its PDF, the review. ACC-01, FND-01, CON-01 to CON-08, CON-13, CON-14,
// CON-21, CON-23, REC-01, REC-02, REC-04, REV-01, REG-03, REG-07, U-16.
import { expect, test, type Page } from '@playwright/test'
import { readFileSync } from 'node:fs'
import { framesDecoded, look, phone, register, say, screen, signInDoctor } from './people'
import { drawnDigits, pdfText } from './pdf'
import { carriesMetadata, photoWithGps } from './photo'
import { Server } from './server'

const DOCTOR = { account: 'doctor01', name: '周明远' }
const PATIENT = { number: '13912345678', name: '李思源' }
const server = new Server()

test.beforeAll(() => server.start())
test.afterAll(() => server.remove())

/** The full-size bytes of a picture that the page shows, as the viewer fetches them: the page's policy lets nobody read its blobs. */
async function shownBytes(page: Page): Promise<Buffer> {
  const loading = page.waitForResponse((answer) => /\/api\/attachments\/[^/]+$/.test(new URL(answer.url()).pathname))
  await page.getByTestId('picture').first().click()
  const bytes = await (await loading).body()
  await page.getByTestId('close-viewer').click()
  return bytes
}

async function order(patient: Page, photo: Buffer): Promise<void> {
  await patient.goto('/')
  await expect(patient.getByTestId('emergency').first()).toBeVisible()
  await look(patient, 'patient-home')
  await patient.getByTestId('home-search').click()
  await patient.getByTestId('search-input').fill(DOCTOR.name)
  await patient.getByTestId('doctor').filter({ hasText: DOCTOR.name }).first().click()
  await expect(patient.getByTestId('doctor-page')).toBeVisible()
  await look(patient, 'patient-doctor')
  await patient.getByTestId('consult-return_visit-video').click()

  await patient.getByTestId('symptoms').fill('头晕,血压升高一周,早晨明显')
  await patient.getByTestId('onset').fill('一周前')
  await patient.getByTestId('past-history').fill('高血压五年,规律服药')
  await patient.getByTestId('description').fill('早上在家测量 150/95,希望调整用药方案')
  await patient.getByTestId('pictures-file').setInputFiles({ name: 'rash.jpg', mimeType: 'image/jpeg', buffer: photo })
  await patient.getByTestId('proof-diagnosis').fill('原发性高血压')
  await patient.getByTestId('proof-institution').fill('云湖市第一人民医院')
  await patient.getByTestId('proof-visited-on').fill('2026-05-12')
  await patient.getByTestId('proof-file').setInputFiles({ name: 'proof.jpg', mimeType: 'image/jpeg', buffer: photo })
  await expect(patient.locator('[data-testid=picture-item][data-done=true]')).toHaveCount(2)
  await patient.getByTestId('agree-scope_notice').check()
  await patient.getByTestId('agree-informed_consent').check()
  await look(patient, 'patient-intake')
  await patient.getByTestId('submit').click()
  await expect(patient.getByTestId('order')).toHaveAttribute('data-state', 'unpaid')
}

async function pay(patient: Page): Promise<void> {
  await look(patient, 'patient-order')
  const opening = patient.context().waitForEvent('page')
  await patient.getByTestId('pay').click()
  const cashier = await opening
  await cashier.waitForLoadState()
  await look(cashier, 'demo-cashier', { axe: false })
  await cashier.locator('[data-testid=pay], button[name=outcome][value=pay], button').first().click()
  // The result reaches the order's page by itself (PAY-06).
  await patient.waitForURL(/\/consultations\//)
  await cashier.close()
}

async function accept(doctor: Page): Promise<void> {
  const row = doctor.getByTestId('queue-row').filter({ hasText: PATIENT.name })
  await expect(row).toBeVisible()
  await row.click()
  await expect(doctor.getByTestId('intake').first()).toContainText('头晕')
  await look(doctor, 'doctor-intake')
  expect(carriesMetadata(await shownBytes(doctor)), 'the doctor gets the photo without where it was taken').toBe(false)
  await doctor.getByTestId('judge').check()
  await doctor.getByTestId('accept').click()
  await expect(doctor.getByTestId('state')).toHaveAttribute('data-state', 'in_progress')
}

async function talk(patient: Page, doctor: Page, photo: Buffer): Promise<void> {
  for (let line = 1; line <= 4; line += 1) {
    await say(patient, `患者第${line}句:最近几天头晕`)
    await say(doctor, `医生第${line}句:请问血压是多少`)
  }
  await patient.getByTestId('image-file').setInputFiles({ name: 'meter.jpg', mimeType: 'image/jpeg', buffer: photo })
  await expect(doctor.getByTestId('message-list').getByTestId('picture')).toHaveCount(1)
  await doctor.getByTestId('image-file').setInputFiles({ name: 'advice.jpg', mimeType: 'image/jpeg', buffer: photo })
  await expect(patient.getByTestId('message-list').getByTestId('picture')).toHaveCount(2)

  await patient.getByTestId('toggle-voice').click()
  await patient.getByTestId('tap-to-record').click()
  await expect(patient.locator('.recording')).toContainText('2')
  await patient.getByTestId('tap-to-record').click()
  await expect(doctor.getByTestId('voice')).toHaveCount(1)
  await patient.getByTestId('toggle-voice').click()
}

async function videoCall(patient: Page, doctor: Page): Promise<void> {
  await patient.getByTestId('agree-av').click()
  await doctor.getByTestId('agree-av').click()
  await expect(doctor.getByTestId('av-notice')).toHaveCount(0)
  await doctor.getByTestId('call-video').click()
  await expect(patient.getByTestId('accept-call')).toBeVisible()
  await look(patient, 'patient-incoming-call')
  await patient.getByTestId('accept-call').click()
  for (const page of [patient, doctor]) {
    await expect.poll(() => framesDecoded(page), { timeout: 60_000 }).toBeGreaterThan(5)
    const before = await framesDecoded(page)
    await expect.poll(() => framesDecoded(page)).toBeGreaterThan(before + 5)
  }
  await look(patient, 'patient-call')
  await look(doctor, 'doctor-call')
  await patient.getByTestId('mute').click()
  await patient.getByTestId('hang-up').click()
  await expect(doctor.getByTestId('call-card').last()).toHaveAttribute('data-phase', 'ended')
  await patient.getByTestId('close-call').click()
  await doctor.getByTestId('close-call').click()
}

async function reload(patient: Page, doctor: Page): Promise<void> {
  await patient.reload()
  await say(doctor, '医生第9句:刷新页面的时候发的')
  await expect(patient.getByTestId('message-list')).toContainText('医生第9句')
  await say(patient, '患者第9句:刷新之后我还在')
  await expect(doctor.getByTestId('message-list')).toContainText('患者第9句')
  for (const page of [patient, doctor]) {
    for (let line = 1; line <= 4; line += 1) {
      await expect(page.getByTestId('message-list').getByText(`患者第${line}句`)).toHaveCount(1)
      await expect(page.getByTestId('message-list').getByText(`医生第${line}句`)).toHaveCount(1)
    }
    await expect(page.getByTestId('message-list').getByTestId('picture')).toHaveCount(2)
    await expect(page.getByTestId('voice')).toHaveCount(1)
  }
  for (let line = 10; line <= 13; line += 1) {
    await say(patient, `患者第${line}句:好的`)
    await say(doctor, `医生第${line}句:明白`)
  }
  await expect(doctor.getByTestId('message-list')).toContainText('患者第13句')
  await expect(patient.getByTestId('message-list')).toContainText('医生第13句')
  await look(patient, 'patient-chat')
  await look(doctor, 'doctor-desk')
}

async function end(doctor: Page): Promise<void> {
  await doctor.getByTestId('tab-record').click()
  await doctor.getByTestId('record-diagnosis').fill('原发性高血压')
  await doctor.getByTestId('record-symptom_analysis').fill('血压控制不佳,清晨明显')
  await doctor.getByTestId('record-basis').fill('家庭血压 150/95 mmHg,既往高血压五年')
  await doctor.getByTestId('record-advice').fill('低盐饮食,每日早晚测量血压,体温≥37.3℃时及时就诊')
  await doctor.getByTestId('record-medication_advice').fill('氨氯地平 5 mg,每日 1 次')
  await expect(doctor.getByTestId('save-state')).toHaveAttribute('data-state', 'saved')
  await look(doctor, 'doctor-record')
  await doctor.getByTestId('end').click()
  await expect(doctor.getByTestId('signed')).toBeVisible()
}

async function readRecord(patient: Page): Promise<void> {
  await patient.getByTestId('to-record').click()
  await expect(patient.getByTestId('record')).toContainText('原发性高血压')
  await look(patient, 'patient-record')
  const downloading = patient.waitForEvent('download')
  await patient.getByTestId('download-pdf').click()
  const path = await (await downloading).path()
  expect(readFileSync(path).subarray(0, 5).toString()).toBe('%PDF-')
  const text = pdfText(path).replace(/\s+/g, '')
  for (const words of ['原发性高血压', '低盐饮食', '150/95', '37.3℃', DOCTOR.name, PATIENT.name]) expect(text).toContain(words)
  const order_no = /\d{10,}/.exec(pdfText(path))
  expect(order_no, 'the order number is printed').not.toBeNull()
  const shapes = drawnDigits(path, order_no![0])
  const drawn = [...shapes.values()].map((looks) => [...looks][0])
  expect(new Set(drawn).size, 'each digit is drawn as itself, not as a box').toBe(shapes.size)
  for (const look of drawn) expect(look).toContain('#')
}

test('a whole consultation', async ({ browser }) => {
  const patient = await phone(browser, server.url)
  const doctor = await screen(browser, server.url)
  await test.step('the doctor signs in and takes patients', async () => {
    await signInDoctor(doctor, DOCTOR.account)
    await look(doctor, 'doctor-empty-desk')
  })
  await test.step('the patient registers by phone', () => register(patient, PATIENT.number, PATIENT.name))
  const photo = await photoWithGps(patient)
  expect(carriesMetadata(photo)).toBe(true)
  await test.step('finds the doctor and describes what is wrong', () => order(patient, photo))
  await test.step('pays', () => pay(patient))
  await test.step('the doctor reads and accepts', () => accept(doctor))
  await test.step('they talk in text, pictures and voice', () => talk(patient, doctor, photo))
  await test.step('they see each other', () => videoCall(patient, doctor))
  await test.step('one side reloads and loses nothing', () => reload(patient, doctor))
  await test.step('the doctor writes the record and ends', () => end(doctor))
  await test.step('the patient gets the record as PDF', () => readRecord(patient))
  await test.step('and rates the consultation', async () => {
    await patient.goBack()
    await patient.getByTestId('to-review').click()
    await patient.getByTestId('star-5').check({ force: true })
    await patient.getByTestId('review-text').fill('医生耐心细致,解释清楚')
    await look(patient, 'patient-review')
    await patient.getByTestId('submit').click()
    await expect(patient.getByTestId('review-done')).toContainText('耐心细致')
  })
})
