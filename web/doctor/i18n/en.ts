import type { zh } from './zh'

export const en: Record<keyof typeof zh, string> = {
  'doctor.title': 'Doctor workstation',
  'sign_in.account': 'Staff account',
  'sign_in.password': 'Password',
  'sign_in.submit': 'Sign in',
  'sign_in.signing_in': 'Signing in…',
  'sign_in.intro': 'Sign in with the account your hospital gave you',
  'sign_in.ended_revoked': 'You were signed out elsewhere; sign in again',
  'sign_in.ended_replaced': 'Open in too many windows; sign in again',
  'desk.sign_out': 'Sign out',
}
