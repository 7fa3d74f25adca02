// Sex and age in words, where they are known.
import { lookUp, t } from '@shared/i18n'
import type { Consultation } from '@shared/api/types'

export function sayPatient(patient: Consultation['patient']): string {
  const sex = patient.sex ? (lookUp(`sex.${patient.sex}`) ?? '') : ''
  const age = patient.age === null ? '' : t('common.years_old', { n: patient.age })
  return [sex, age].filter(Boolean).join(' ')
}
