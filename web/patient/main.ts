// Entry of the patient app at /. The static shell of index.html is on the screen until the first page replaces it.
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { addCatalogue, startLanguage } from '@shared/i18n'
import { startRuntime } from '@shared/runtime'
import { startTheme } from '@shared/theme/theme'
import '@shared/theme/tokens.css'
import './frame/base.css'
import App from './App.vue'
import { zh } from './i18n/zh'
import { router } from './router'

addCatalogue({ zh, en: async () => (await import('./i18n/en')).en })
startTheme()
startRuntime('patient', (reason) => {
  if (router.currentRoute.value.meta.open) return
  void router.push({ name: 'sign-in', query: { reason, next: router.currentRoute.value.fullPath } })
})
const app = createApp(App).use(createPinia()).use(router)
// Mounted when the first page is there, so that the shell is replaced once.
void Promise.all([startLanguage(), router.isReady()]).then(() => app.mount('#app'))
