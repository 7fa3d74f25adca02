//! Builds the live side of the app: the hub over the conversation log, and the calls over both.

use crate::{config::Config, hooks, state::LateApp};
use chat::{
    clock::Clock,
    connection::AttachmentCheck,
    entropy::Entropy,
    fanout::Fanout,
    hub::{Hub, HubParts, Publisher},
    log::MessageLog,
    token::TokenKeys,
};
use signaling::{CallService, Parts as CallParts, courier::Courier, turn::TurnConfig};
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
        limits: needs.config.socket.limits(),
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
        limits: needs.config.calls.limits(),
        gate: Arc::new(hooks::Gate(needs.late.clone())),
        inbound,
    });
    Realtime { hub, calls }
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

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use std::num::NonZeroU32;

    #[tokio::test]
    async fn the_hub_lives_by_the_configuration() {
        let test = TestApp::start_with(|config| config.socket.unauthenticated_per_ip_max = NonZeroU32::MAX).await;
        assert_eq!(test.app.hub.limits().unauthenticated_per_ip_max, u32::MAX);
    }
}
