//! How the simulated channel misbehaves. The default is good behaviour; tests turn single faults on.

use crate::payments::wechat::types::RefundStatus;

#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Notices are never sent: only a query finds out.
    pub lose_notices: bool,
    /// How many more times each notice is sent than needed.
    pub repeat_notices: usize,
    /// The newest notice first.
    pub reorder_notices: bool,
    /// How long a notice waits before it is sent.
    pub delay_notices_ms: u64,
    /// A stranger sends a copy signed with his own key before each notice.
    pub forge_notices: bool,
    /// So many next requests are carried out, but answered with 503.
    pub lose_answers: u32,
    /// So many next answers come without a signature.
    pub unsigned_answers: u32,
    /// What a refund becomes after it was accepted.
    pub refunds_end: RefundStatus,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            lose_notices: false,
            repeat_notices: 0,
            reorder_notices: false,
            delay_notices_ms: 0,
            forge_notices: false,
            lose_answers: 0,
            unsigned_answers: 0,
            refunds_end: RefundStatus::Success,
        }
    }
}
