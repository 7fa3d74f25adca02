//! Accept, cancel and timeout at the same moment on three nodes over one log: exactly one of them stands in the log.

use super::rig::*;
use crate::gate::OpenGate;
use crate::service::Limits;
use crate::timing;
use chat::wire::{self, CallEndReason, body::Kind, call_command};
use std::sync::Arc;

const ROUNDS: u64 = 1_000;
const SEED: u64 = 20_260_101;

/// What ended the ringing, told from the transcript since `from`.
fn winner(facts: &[Kind]) -> &'static str {
    match facts {
        [Kind::CallInvited(_), Kind::CallAccepted(_)] => "accept",
        [Kind::CallInvited(_), Kind::CallEnded(ended)] if ended.reason() == CallEndReason::Cancelled => "cancel",
        [Kind::CallInvited(_), Kind::CallEnded(ended)] if ended.reason() == CallEndReason::NoAnswer => "timeout",
        other => panic!("seed {SEED}: not exactly one: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn of_accept_cancel_and_timeout_exactly_one_wins() {
    let rig = Rig::new(SEED);
    let limits = Limits { invites_burst: 10_000, others_burst: 10_000, ..Limits::default() };
    let node = || rig.node_with(Arc::new(OpenGate), limits);
    let (mut caller, callee, third) = (node(), node(), node());
    let pair = rig.pair().await;
    let mut wins = std::collections::BTreeMap::<_, u32>::new();
    let mut seen = 0;
    for _ in 0..ROUNDS {
        let call = rig.call_id();
        caller.ring(&pair, call).await;
        tokio::join!(callee.service.sweep(), third.service.sweep());
        rig.clock.advance_ms(timing::RING_MS - 1);
        let delays: [u64; 3] = std::array::from_fn(|_| rig.entropy.up_to(3));
        let accept = async {
            pause(delays[0]).await;
            callee.say(pair.doctor, call, call_command::Kind::Accept(wire::CallAccept {}));
            callee.service.tick().await;
        };
        let cancel = async {
            pause(delays[1]).await;
            caller.say(pair.patient, call, call_command::Kind::Cancel(wire::CallCancel {}));
            caller.service.tick().await;
        };
        let timeout = async {
            pause(delays[2]).await;
            rig.clock.advance_ms(1);
            third.service.tick().await;
        };
        tokio::join!(accept, cancel, timeout);
        let facts = rig.facts(pair.conversation).await;
        *wins.entry(winner(&facts[seen..])).or_default() += 1;
        // Everybody learns of it, whoever won; then the call is over for the next round.
        tokio::join!(caller.service.sweep(), callee.service.sweep(), third.service.sweep());
        callee.say(pair.doctor, call, call_command::Kind::HangUp(wire::CallHangUp {}));
        callee.service.tick().await;
        tokio::join!(caller.service.sweep(), third.service.sweep());
        rig.clock.advance_ms(timing::REMEMBER_ENDED_MS);
        seen = rig.facts(pair.conversation).await.len();
        assert!(rig.log.live_calls().await.unwrap().is_empty());
    }
    assert!(wins.len() >= 2, "the rounds raced nothing: {wins:?}");
}

/// Lets other tasks run so many times.
async fn pause(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}
