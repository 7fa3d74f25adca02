//! The same through a real hub: commands come in as the hub hands them over, events go to its sockets.

use super::rig::*;
use crate::courier::Courier;
use crate::gate::OpenGate;
use crate::service::{CallService, Limits, Parts};
use chat::hub::InboundCall;
use chat::wire::{self, CallMedia, body::Kind, call_command};
use std::sync::Arc;
use tokio::sync::mpsc;

#[tokio::test]
async fn commands_arrive_through_the_channel_the_hub_was_given() {
    let rig = Rig::new(30);
    let pair = rig.pair().await;
    let (letters_out, mut letters) = mpsc::unbounded_channel();
    let (hub_side, inbound) = mpsc::channel(8);
    let _service = CallService::start(Parts {
        log: Arc::clone(&rig.log),
        courier: Courier::Channel(letters_out),
        clock: rig.clock.clone(),
        entropy: rig.entropy.clone(),
        turn: None,
        limits: Limits::default(),
        gate: Arc::new(OpenGate),
        inbound,
    });
    let invite = wire::CallInvite { conversation: pair.conversation.to_string(), media: CallMedia::Voice.into() };
    let command = wire::CallCommand { call: rig.call_id().to_string(), kind: Some(call_command::Kind::Invite(invite)) };
    hub_side.send(InboundCall { from: pair.patient, command }).await.unwrap();
    letters.recv().await.unwrap();
    assert!(matches!(rig.facts(pair.conversation).await[..], [Kind::CallInvited(_)]));
}
