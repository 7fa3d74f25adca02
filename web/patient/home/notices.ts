// The texts people agree to. Their version and hash go back with the consent, so that what was read can be proved (REG-07).
import type { NoticeKind, NoticeText } from '@shared/api/types'
import type { Http } from '@shared/api/http'

export const loadNotices = (http: Http, signal?: AbortSignal) => http.get<NoticeText[]>('/notices', {}, { signal })

export function noticeOf(notices: readonly NoticeText[] | null, kind: NoticeKind): NoticeText | undefined {
  return notices?.find((notice) => notice.kind === kind)
}

export const consentTo = ({ kind, version, text_hash }: NoticeText) => ({ kind, version, text_hash })
