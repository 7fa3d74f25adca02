//! What must be true once a session has been signed out: its socket closes within a second, carries nothing out any more, and neither
//! of its tokens is good for anything (S1).

use super::accounts::Session;
use crate::connect::{Ended, Socket};
use crate::measure::Metric;
use crate::run::{ACCEPTED, Part};
use chat::wire::{Ping, command, event};
use serde_json::json;
use std::time::Duration;

/// Of the protocol: "its sockets close within a second".
pub(super) const CLOSES_WITHIN: Duration = Duration::from_secs(1);
pub(super) const REVOKED: u16 = 4004;
const AFTERWARDS: u64 = 0x7265_766f_6b65;

/// Signs the session out with its socket open.
pub(super) async fn sign_out(part: &Part, session: Session, device: uuid::Uuid) {
    let (run, target) = (&part.run, &part.run.targets[0]);
    run.accounts().asked += 1;
    let mut socket = match Socket::open(target, &session.access, device).await {
        Ok(socket) => socket,
        Err(error) => {
            *run.accounts().not_opened.entry(error.class()).or_default() += 1;
            return;
        }
    };
    run.accounts().opened += 1;
    run.meters.socket_opened();
    let left_micros = run.clock.micros();
    let form = json!({});
    let mut signing_out = Box::pin(run.http.post(target, "/api/auth/logout", Some(&session.access), None, &form));
    let mut answered = false;
    let mut deadline = Box::pin(tokio::time::sleep(Duration::from_secs(60)));
    let ended = loop {
        tokio::select! {
            answer = &mut signing_out, if !answered => {
                if let Err(class) = answer.and_then(|answer| if answer.status == 204 { Ok(()) } else { Err(answer.class()) }) {
                    return run.fail(&format!("logout_{class}"));
                }
                answered = true;
                deadline.as_mut().reset(run.clock.at(run.clock.micros()) + CLOSES_WITHIN);
                // Whoever is answered now, after the sign-out was, is still served.
                let _ = socket.send(command::Kind::Ping(Ping { nonce: AFTERWARDS })).await;
            }
            heard = socket.next() => match heard {
                Ok(event::Kind::Pong(pong)) if pong.nonce == AFTERWARDS => part.ledger(|ledger| ledger.counts.stale_access += 1),
                Ok(_) => {}
                Err(ended) => break Some(ended),
            },
            () = &mut deadline => break None,
        }
    };
    closed(part, left_micros, ended.map(|ended| (run.clock.micros(), ended)));
    run.meters.socket_lost();
    if !answered && let Err(class) = signing_out.await {
        run.fail(&format!("logout_{class}"));
    }
    tokens_are_dead(part, &session.access, session.refresh.as_deref()).await;
}

pub(super) fn closed(part: &Part, left_micros: u64, ended: Option<(u64, Ended)>) {
    match ended {
        Some((at_micros, Ended::Closed { code: REVOKED, .. })) => part.run.meters.record(Metric::Revoke, left_micros, at_micros),
        // The close frame and our own next command crossed.
        Some((at_micros, Ended::Broken)) => part.run.meters.record(Metric::Revoke, left_micros, at_micros),
        Some((_, ended)) => part.run.fail(&format!("revoked_{}", ended.class())),
        None => part.run.fail("revoked_socket_still_open"),
    }
}

pub(super) async fn tokens_are_dead(part: &Part, access: &str, refresh: Option<&str>) {
    let (http, target) = (&part.run.http, &part.run.targets[0]);
    match http.get(target, "/api/me", Some(access)).await {
        Ok(answer) if answer.is_success() => part.ledger(|ledger| ledger.counts.stale_access += 1),
        Ok(answer) if answer.status == 401 => {}
        Ok(answer) => part.run.fail(&format!("revoked_{}", answer.class())),
        Err(class) => part.run.fail(&class),
    }
    let Some(refresh) = refresh else { return };
    match http.post(target, "/api/auth/refresh", None, None, &json!({"refresh_token": refresh})).await {
        Ok(answer) if answer.is_success() => part.run.fail(&format!("{ACCEPTED}revoked_refresh_token")),
        Ok(answer) if answer.status == 401 => {}
        Ok(answer) => part.run.fail(&format!("revoked_{}", answer.class())),
        Err(class) => part.run.fail(&class),
    }
}
