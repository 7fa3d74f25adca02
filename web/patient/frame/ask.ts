// Short words over the page, from Vant: a question before something that cannot be undone, and a passing note.
// Styles are imported one by one: Vant's own style entry would bring its icon font.
import { showConfirmDialog } from 'vant/es/dialog'
import { showToast } from 'vant/es/toast'
import 'vant/es/style/base.css'
import 'vant/es/overlay/index.css'
import 'vant/es/popup/index.css'
import 'vant/es/button/index.css'
import 'vant/es/dialog/index.css'
import 'vant/es/toast/index.css'
import { t } from '../i18n'

export async function ask(title: string, message = '', yes = t('common.confirm')): Promise<boolean> {
  try {
    await showConfirmDialog({ title, message, confirmButtonText: yes, cancelButtonText: t('common.cancel'), teleport: 'body' })
    return true
  } catch {
    return false
  }
}

export function say(message: string): void {
  showToast({ message, duration: 2_500, wordBreak: 'break-word' })
}
