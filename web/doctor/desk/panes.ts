// Widths of the outer panes, dragged or moved with the arrow keys, remembered on this machine.
import { reactive, watch } from 'vue'

const STORE_KEY = 'wz.doctor.panes'
export const LIMITS = { left: { min: 230, max: 420 }, right: { min: 300, max: 620 } } as const
export type Side = keyof typeof LIMITS

export const widths = reactive<Record<Side, number>>({ left: 280, right: 400, ...held() })
watch(widths, (now) => localStorage.setItem(STORE_KEY, JSON.stringify(now)))

function held(): Partial<Record<Side, number>> {
  try {
    return JSON.parse(localStorage.getItem(STORE_KEY) ?? '{}') as Partial<Record<Side, number>>
  } catch {
    return {}
  }
}

export function resize(side: Side, width_px: number): void {
  const { min, max } = LIMITS[side]
  widths[side] = Math.round(Math.min(max, Math.max(min, width_px)))
}

/** Follows the pointer until it is let go. */
export function drag(side: Side, event: PointerEvent): void {
  const start = { x: event.clientX, width: widths[side] }
  const sign = side === 'left' ? 1 : -1
  const move = (now: PointerEvent) => resize(side, start.width + sign * (now.clientX - start.x))
  const stop = () => window.removeEventListener('pointermove', move)
  window.addEventListener('pointermove', move)
  window.addEventListener('pointerup', stop, { once: true })
}

export function nudge(side: Side, key: string): void {
  const grows = side === 'left' ? 'ArrowRight' : 'ArrowLeft'
  const shrinks = side === 'left' ? 'ArrowLeft' : 'ArrowRight'
  if (key === grows) resize(side, widths[side] + 16)
  if (key === shrinks) resize(side, widths[side] - 16)
}
