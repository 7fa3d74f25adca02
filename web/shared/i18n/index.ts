// A small message catalogue: Chinese is in the bundle, English is loaded when asked for. Placeholders are `{name}`.
// Keys are checked by the compiler: the English catalogue has the type of the Chinese one.
import { ref, shallowRef } from 'vue'
import { zh as sharedZh } from './zh'

export type Language = 'zh' | 'en'
export type Catalogue<Key extends string = string> = Record<Key, string>
export type SharedKey = keyof typeof sharedZh
export type Params = Record<string, string | number>

interface Source {
  zh: Catalogue
  en: () => Promise<Catalogue>
}

const STORE_KEY = 'wz.language'
const sources: Source[] = [{ zh: sharedZh, en: async () => (await import('./en')).en }]
const active = shallowRef<Catalogue>({ ...sharedZh })

export const language = ref<Language>('zh')

/** An app adds its own words before `startLanguage`. */
export function addCatalogue(source: Source): void {
  sources.push(source)
}

export function startLanguage(): Promise<void> {
  const held = localStorage.getItem(STORE_KEY)
  return apply(held === 'en' || (held === null && /^en\b/i.test(navigator.language)) ? 'en' : 'zh')
}

export function setLanguage(next: Language): Promise<void> {
  localStorage.setItem(STORE_KEY, next)
  return apply(next)
}

async function apply(next: Language): Promise<void> {
  const parts = next === 'zh' ? sources.map((source) => source.zh) : await Promise.all(sources.map((source) => source.en()))
  active.value = Object.assign({}, ...parts) as Catalogue
  language.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

export function translator<Key extends string>(): (key: Key | SharedKey, params?: Params) => string {
  return (key, params) => fill(active.value[key] ?? key, params)
}

/** For words that come from the server: null when the catalogue has none. */
export function lookUp(key: string, params?: Params): string | null {
  const text = active.value[key]
  return text === undefined ? null : fill(text, params)
}

export const t = translator<SharedKey>()

function fill(text: string, params: Params = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole))
}
