// Entry of the doctor workstation at /doctor: theme, language, session, then the router decides between sign-in and the desk.
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { addCatalogue, startLanguage } from '@shared/i18n'
import { startRuntime } from '@shared/runtime'
import { startTheme } from '@shared/theme/theme'
import '@shared/theme/tokens.css'
import App from './App.vue'
import { zh } from './i18n/zh'
import { router } from './router'

addCatalogue({ zh, en: async () => (await import('./i18n/en')).en })
startTheme()
startRuntime('doctor', (reason) => void router.push({ name: 'sign-in', query: { reason } }))
void startLanguage().then(() => createApp(App).use(createPinia()).use(router).mount('#app'))
