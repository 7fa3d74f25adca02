//! The refund (退款) as a state machine, DOMAIN D.5, with the one number (`out_refund_no`) it keeps for life.
//!
//! A refund may be sent as often as needed: the channel pays one number once. CLOSED means the channel gave this try up
//! (it is sent again), ABNORMAL that the payer's account cannot take money back (a person has to act). SUCCESS is final.

use super::Trouble;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refund {
    /// Asked for by a person; waits for a decision.
    Requested,
    Denied,
    /// Decided and in the books; the channel may not have heard of it.
    Approved,
    Processing,
    Closed,
    Abnormal,
    Success,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Approve,
    Deny,
    /// The channel's word, by answer, query or notice.
    Processing,
    Closed,
    Abnormal,
    Success,
    /// Our own decision to send it once more with the same number.
    SendAgain,
}

impl Refund {
    pub const ALL: [Self; 7] =
        [Self::Requested, Self::Denied, Self::Approved, Self::Processing, Self::Closed, Self::Abnormal, Self::Success];

    pub fn apply(self, input: Input) -> Result<Self, Trouble> {
        match (self, input) {
            (Self::Requested | Self::Approved, Input::Approve) => Ok(Self::Approved),
            (Self::Requested | Self::Denied, Input::Deny) => Ok(Self::Denied),
            (Self::Requested | Self::Denied, _) => Err(Trouble::RefundNotDecided),
            (_, Input::Deny | Input::Approve) => Err(Trouble::RefundDecided),
            (Self::Success, _) | (_, Input::Success) => Ok(Self::Success),
            (Self::Closed | Self::Abnormal, Input::SendAgain) => Ok(Self::Approved),
            (state @ (Self::Approved | Self::Processing), Input::SendAgain) => Ok(state),
            (Self::Abnormal, _) | (_, Input::Abnormal) => Ok(Self::Abnormal),
            (Self::Closed, _) | (_, Input::Closed) => Ok(Self::Closed),
            (Self::Approved | Self::Processing, Input::Processing) => Ok(Self::Processing),
        }
    }

    pub fn code(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Denied => "denied",
            Self::Approved => "approved",
            Self::Processing => "processing",
            Self::Closed => "closed",
            Self::Abnormal => "abnormal",
            Self::Success => "success",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether nothing will happen any more without a person.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Denied | Self::Success | Self::Abnormal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUTS: [Input; 7] =
        [Input::Approve, Input::Deny, Input::Processing, Input::Closed, Input::Abnormal, Input::Success, Input::SendAgain];

    /// D.11-13: each (state, input) is handled or refused with a code; paid back stays paid back; denied stays denied.
    #[test]
    fn every_pair_is_handled_or_refused() {
        for state in Refund::ALL {
            assert_eq!(Refund::from_code(state.code()), Some(state));
            for input in INPUTS {
                match state.apply(input) {
                    Ok(after) if state == Refund::Success => assert_eq!(after, Refund::Success),
                    Ok(after) if state == Refund::Denied => assert_eq!(after, Refund::Denied),
                    Ok(_) => {}
                    Err(trouble) => assert!(!trouble.code().is_empty()),
                }
            }
        }
    }

    /// D.5, L3: the channel's words in any order end in one state.
    #[test]
    fn channel_words_in_any_order_agree() {
        let words = [Input::Processing, Input::Closed, Input::Abnormal, Input::Success];
        for a in words {
            for b in words {
                let one_way = Refund::Approved.apply(a).and_then(|state| state.apply(b));
                let other_way = Refund::Approved.apply(b).and_then(|state| state.apply(a));
                assert_eq!(one_way, other_way, "{a:?} {b:?}");
            }
        }
    }

    /// D.5: a refund the channel closed is sent again under the same number; nothing undecided is ever sent.
    #[test]
    fn closed_is_sent_again() {
        assert_eq!(Refund::Closed.apply(Input::SendAgain), Ok(Refund::Approved));
        assert_eq!(Refund::Requested.apply(Input::Success), Err(Trouble::RefundNotDecided));
        assert_eq!(Refund::Processing.apply(Input::Deny), Err(Trouble::RefundDecided));
    }
}
