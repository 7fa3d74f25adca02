// What a person reads about a problem: the translated code, never the server's English.
import type { Problem } from './api/problem'
import { lookUp, t } from './i18n'

export function sayCode(code: string): string {
  return lookUp(`code.${code}`) ?? t('code.internal')
}

export function sayProblem(problem: Problem): string {
  return sayCode(problem.code)
}
