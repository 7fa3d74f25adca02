// Mobile numbers of mainland China, as people type them.
export const cleanPhone = (typed: string) => typed.replace(/[\s-]/g, '').replace(/^\+?86(?=1)/, '')
export const isPhone = (typed: string) => /^1[3-9]\d{9}$/.test(cleanPhone(typed))
