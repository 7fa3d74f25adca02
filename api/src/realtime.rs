//! Builds the live side of the app: the hub over the conversation log, and the calls over both.

use crate::{config::Config, hooks, state::LateApp};
use chat::{
    clock::Clock,
    connection::AttachmentCheck,
    entropy::Entropy,
    fanout::Fanout,
    hub::{Hub, HubParts, Publisher},
    limits::HubLimits,
    log::MessageLog,
    token::TokenKeys,
};
use signaling::{CallService, Parts as CallParts, courier::Courier, service::Limits, turn::TurnConfig};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Call commands that may wait for the call service; beyond, clients are told to retry.
const CALL_COMMANDS_MAX: usize = 4_096;

pub(crate) struct Realtime {
    pub hub: Arc<Hub>,
    pub calls: Arc<CallService>,
}

pub(crate) struct Needs<'a> {
    pub config: &'a Config,
    pub clock: &'a Clock,
    pub entropy: &'a Entropy,
    pub tokens: &'a TokenKeys,
    pub log: &'a Arc<MessageLog>,
    /// The one whose callback the log was opened with.
    pub publisher: Publisher,
    pub late: &'a LateApp,
}

pub(crate) fn start(needs: Needs<'_>) -> Realtime {
    let (commands, inbound) = mpsc::channel(CALL_COMMANDS_MAX);
    let attachments: AttachmentCheck = hooks::attachment_check(needs.late.clone());
    let hub = Hub::new(HubParts {
        node: needs.entropy.id(needs.clock.now()),
        log: needs.log.clone(),
        publisher: needs.publisher,
        clock: needs.clock.clone(),
        entropy: needs.entropy.clone(),
        tokens: needs.tokens.clone(),
        limits: limits(needs.config),
        fanout: Fanout::local(),
        calls: commands,
        attachments,
    });
    tracing::info!("fanout.local");
    let calls = CallService::start(CallParts {
        log: needs.log.clone(),
        courier: Courier::Hub(hub.clone()),
        clock: needs.clock.clone(),
        entropy: needs.entropy.clone(),
        turn: turn(needs.config),
        limits: Limits::default(),
        gate: Arc::new(hooks::Gate(needs.late.clone())),
        inbound,
    });
    Realtime { hub, calls }
}

fn limits(config: &Config) -> HubLimits {
    let socket = &config.socket;
    HubLimits {
        accepts_per_s: socket.accepts_per_s,
        accepts_burst: socket.accepts_per_s.saturating_mul(4),
        commands_per_s: socket.commands_per_s,
        commands_burst: socket.commands_per_s.saturating_mul(4),
        sends_per_s: socket.sends_per_s,
        sends_burst: socket.sends_per_s.saturating_mul(6),
        bytes_per_s: socket.bytes_per_s,
        bytes_burst: socket.bytes_per_s.saturating_mul(8),
        ..HubLimits::default()
    }
}

fn turn(config: &Config) -> Option<TurnConfig> {
    let turn = &config.turn;
    turn.secret.as_ref().map(|secret| TurnConfig {
        turn_urls: turn.urls.clone(),
        stun_urls: turn.stun_urls.clone(),
        secret: secret.clone(),
        lifetime_s: turn.lifetime_s,
        relay_only: turn.relay_only,
    })
}
