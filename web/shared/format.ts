// How numbers and times are written. Money is fen, times milliseconds UTC; both are shown in the reader's zone and language.
import { language, t } from './i18n'

const locale = () => (language.value === 'zh' ? 'zh-CN' : 'en-GB')
const pad = (value: number) => String(value).padStart(2, '0')

export function yuan(amount_fen: number): string {
  const sign = amount_fen < 0 ? '-' : ''
  const fen = Math.abs(amount_fen)
  const whole = Math.floor(fen / 100)
  return fen % 100 === 0 ? `${sign}¥${whole}` : `${sign}¥${whole}.${pad(fen % 100)}`
}

export function clockTime(at_ms: number): string {
  const at = new Date(at_ms)
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`
}

export function date(at_ms: number): string {
  return new Date(at_ms).toLocaleDateString(locale(), { year: 'numeric', month: '2-digit', day: '2-digit' })
}

export function dateTime(at_ms: number): string {
  return `${date(at_ms)} ${clockTime(at_ms)}`
}

/** Short, for lists: `今天 09:30`, `昨天 18:02`, else the date. */
export function whenShort(at_ms: number, now_ms = Date.now()): string {
  const midnight = new Date(now_ms).setHours(0, 0, 0, 0)
  const time = clockTime(at_ms)
  if (at_ms >= midnight) return t('time.today', { time })
  if (at_ms >= midnight - 86_400_000) return t('time.yesterday', { time })
  return dateTime(at_ms)
}

/** `03:07` or `1:02:03`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${pad(m)}:${pad(s)}`
}

export function minuteOfDay(minute: number): string {
  return `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`
}
