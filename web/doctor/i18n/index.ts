import { translator } from '@shared/i18n'
import type { zh } from './zh'

export const t = translator<keyof typeof zh>()
