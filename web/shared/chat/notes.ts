// The server's facts in words.
import type { Content } from '@sdk/index'
import { lookUp, t } from '../i18n'

export function sayNote(content: Content): string {
  switch (content.kind) {
    case 'membership':
      if (content.change === 'CHANGE_LEFT') return t('entry.left')
      return t(content.role === 'SENDER_ROLE_DOCTOR' ? 'entry.joined_doctor' : 'entry.joined_patient')
    case 'consultation':
      return sayConsultation(content.state ?? '', content.reason ?? '', content.detail ?? '')
    case 'consent':
      return t('entry.consent', { kind: lookUp(`consent.${content.about}`) ?? '' })
    case 'notice':
      return lookUp(`notice.${content.code}`) ?? content.text ?? ''
    default:
      return ''
  }
}

function sayConsultation(state: string, reason: string, detail: string): string {
  if (state === 'STATE_WAITING') return t('entry.state_waiting')
  if (state === 'STATE_OPEN') return t('entry.state_open')
  const what = lookUp(`entry.closed_${reason}`) ?? t('entry.closed')
  return detail ? `${what} · ${t('entry.reason', { reason: detail })}` : what
}
