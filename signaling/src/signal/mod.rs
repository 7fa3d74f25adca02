//! What is relayed between the two devices: session descriptions and candidates, checked for size and shape first.
//!
//! A [`Checked`] signal has no other constructor, so the peer never receives text that nobody parsed. Nothing here logs or keeps it.

mod candidate;
mod sdp;

pub use candidate::CandidatePolicy;

use chat::wire::{self, call_signal::Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    #[error("larger than allowed")]
    TooLarge,
    #[error("not a session description")]
    NotSdp,
    #[error("a line is not in the form of RFC 8866")]
    Line,
    #[error("too many or repeated media sections")]
    Sections,
    #[error("no DTLS fingerprint or ICE credentials")]
    Unprotected,
    #[error("not an ICE candidate of RFC 8839")]
    Candidate,
    #[error("empty")]
    Empty,
}

/// Parsed and filtered. `Debug` shows nothing of it.
#[derive(Clone, PartialEq)]
pub struct Checked(wire::CallSignal);

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Checked(***)")
    }
}

impl Checked {
    pub fn into_wire(self) -> wire::CallSignal {
        self.0
    }
}

/// `None`: a candidate the policy keeps from the peer; to the sender that is no error.
pub fn check(signal: wire::CallSignal, policy: &CandidatePolicy) -> Result<Option<Checked>, SignalError> {
    let kind = match signal.kind.ok_or(SignalError::Empty)? {
        Kind::OfferSdp(text) => Kind::OfferSdp(sdp::check(&text, policy)?),
        Kind::AnswerSdp(text) => Kind::AnswerSdp(sdp::check(&text, policy)?),
        Kind::Candidate(candidate) => match candidate::check(candidate, policy)? {
            Some(candidate) => Kind::Candidate(candidate),
            None => return Ok(None),
        },
    };
    Ok(Some(Checked(wire::CallSignal { kind: Some(kind) })))
}
