import { translator } from '@shared/i18n'
import type { zh } from './zh'

export type PatientKey = keyof typeof zh
export const t = translator<PatientKey>()
