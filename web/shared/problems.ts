// What a person reads about a problem: the translated code, never a detail meant for support.
import type { Problem } from './api/problem'
import { language, lookUp, t } from './i18n'

export function sayCode(code: string): string {
  return lookUp(`code.${code}`) ?? t('code.internal')
}

export function sayProblem(problem: Problem): string {
  const known = lookUp(`code.${problem.code}`)
  // A newer server may know codes this catalogue does not; its titles are Chinese.
  return known ?? (language.value === 'zh' && problem.title ? problem.title : t('code.internal'))
}
