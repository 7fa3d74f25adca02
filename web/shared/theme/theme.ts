// Light, dark and elder mode: remembered, following the system until somebody chooses (UXA-02, UXA-03).
import { reactive, watchEffect } from 'vue'

export type Appearance = 'system' | 'light' | 'dark'

interface Theme {
  appearance: Appearance
  elder: boolean
  /** Base text in elder mode, 20 to 30 px. */
  elder_text_px: number
}

const STORE_KEY = 'wz.theme'
export const ELDER_TEXT_PX = [20, 24, 30] as const

export const theme = reactive<Theme>({ appearance: 'system', elder: false, elder_text_px: ELDER_TEXT_PX[0], ...load() })

export function startTheme(): void {
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  const apply = () => paint(theme.appearance === 'system' ? system.matches : theme.appearance === 'dark')
  system.addEventListener('change', apply)
  watchEffect(() => {
    apply()
    localStorage.setItem(STORE_KEY, JSON.stringify(theme))
  })
}

function paint(dark: boolean): void {
  const root = document.documentElement
  root.dataset.theme = dark ? 'dark' : 'light'
  // Element Plus and Vant look for a class.
  root.classList.toggle('dark', dark)
  root.classList.toggle('van-theme-dark', dark)
  root.toggleAttribute('data-elder', theme.elder)
  root.style.setProperty('--text', theme.elder ? `${theme.elder_text_px}px` : '')
}

function load(): Partial<Theme> {
  try {
    return JSON.parse(localStorage.getItem(STORE_KEY) ?? '{}') as Partial<Theme>
  } catch {
    return {}
  }
}
