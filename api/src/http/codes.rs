//! The words of refusal that routes share. A slice adds its own as constants of [`Code`] beside its errors;
//! a code is stable for ever, its title may be reworded.

/// One kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub status: u16,
    /// snake_case, the same on HTTP and on the socket.
    pub code: &'static str,
    /// What the person reads.
    pub title: &'static str,
    /// The same request may succeed later without any change.
    pub temporary: bool,
}

impl Code {
    pub const fn new(status: u16, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, temporary: false }
    }

    pub const fn temporary(status: u16, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, temporary: true }
    }
}

pub const INVALID_REQUEST: Code = Code::new(400, "malformed", "请求内容有误");
pub const UNAUTHENTICATED: Code = Code::new(401, "unauthenticated", "请先登录");
pub const TOKEN_EXPIRED: Code = Code::new(401, "token_expired", "登录已过期，请重新登录");
pub const SESSION_REVOKED: Code = Code::new(401, "session_revoked", "该设备已退出登录");
pub const FORBIDDEN: Code = Code::new(403, "not_permitted", "没有权限");
/// Also the answer for what exists but belongs to somebody else.
pub const NOT_FOUND: Code = Code::new(404, "not_found", "没有找到");
pub const METHOD_NOT_ALLOWED: Code = Code::new(405, "method_not_allowed", "不支持的操作");
pub const CONFLICT: Code = Code::new(409, "conflict", "当前状态不允许此操作");
pub const VERSION_CONFLICT: Code = Code::new(409, "version_conflict", "内容已被更新，请刷新后重试");
pub const IDEMPOTENCY_CONFLICT: Code = Code::new(409, "idempotency_conflict", "同一提交编号对应了不同的内容");
pub const TOO_LARGE: Code = Code::new(413, "too_large", "内容过大");
pub const UNSUPPORTED_MEDIA_TYPE: Code = Code::new(415, "unsupported_media_type", "不支持的内容类型");
pub const INVALID_FIELDS: Code = Code::new(422, "invalid_field", "部分内容填写有误");
pub const TOO_MANY_REQUESTS: Code = Code::temporary(429, "rate_limited", "操作过于频繁，请稍后再试");
pub const INTERNAL: Code = Code::temporary(500, "internal", "服务暂时异常，请稍后再试");
pub const UNAVAILABLE: Code = Code::temporary(503, "unavailable", "服务暂时不可用，请稍后再试");

#[cfg(test)]
mod tests {
    use super::*;

    /// HTTP and the socket say the same word for the same thing.
    #[test]
    fn shared_words_agree_with_the_socket() {
        let ours = [
            INVALID_REQUEST,
            UNAUTHENTICATED,
            TOKEN_EXPIRED,
            SESSION_REVOKED,
            FORBIDDEN,
            NOT_FOUND,
            METHOD_NOT_ALLOWED,
            VERSION_CONFLICT,
            IDEMPOTENCY_CONFLICT,
            TOO_LARGE,
            UNSUPPORTED_MEDIA_TYPE,
            INVALID_FIELDS,
            TOO_MANY_REQUESTS,
            INTERNAL,
            UNAVAILABLE,
        ];
        for code in ours {
            let theirs = chat::errors::Code::from_word(code.code).unwrap_or_else(|| panic!("{} is not a word of the socket", code.code));
            assert_eq!((code.status, code.temporary), (theirs.http_status(), theirs.temporary()), "{}", code.code);
        }
    }
}
