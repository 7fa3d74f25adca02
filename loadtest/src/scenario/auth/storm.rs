//! One event of the storm: somebody signs in, renews, signs out, errs, or forges.

use super::accounts::{Account, Session, device};
use super::{Options, revoke};
use crate::connect::{OpenError, Socket};
use crate::measure::Metric;
use crate::run::{ACCEPTED, Part};
use crate::seed::Seeded;
use serde_json::json;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Login,
    Refresh { reuse: bool },
    SignOut,
    WrongPassword,
    ForgedToken,
    Check,
}

pub(super) struct Acting {
    pub part: Part,
    pub accounts: Arc<Vec<Account>>,
    pub account: usize,
}

pub(super) fn choose(options: &Options, dice: &mut Seeded) -> Wish {
    let mut draw = dice.unit();
    let reuse = dice.chance(options.reuse_share);
    let wishes = [
        (options.login_share, Wish::Login),
        (options.refresh_share, Wish::Refresh { reuse }),
        (options.sign_out_share, Wish::SignOut),
        (options.wrong_share, Wish::WrongPassword),
        (options.forged_share, Wish::ForgedToken),
    ];
    for (share, wish) in wishes {
        if draw < share {
            return wish;
        }
        draw -= share;
    }
    Wish::Check
}

pub(super) async fn act(acting: Acting, wish: Wish, intended_micros: u64, mut dice: Seeded) {
    match wish {
        Wish::Login => acting.login(intended_micros).await,
        Wish::Refresh { reuse } => acting.refresh(intended_micros, reuse).await,
        Wish::SignOut => {
            if let Some(session) = acting.session().await {
                revoke::sign_out(&acting.part, session, dice.uuid()).await;
            }
        }
        Wish::WrongPassword => acting.wrong_password(&mut dice).await,
        Wish::ForgedToken => acting.forged_token(&mut dice).await,
        Wish::Check => acting.check(intended_micros).await,
    }
}

impl Acting {
    fn account(&self) -> &Account {
        &self.accounts[self.account]
    }

    async fn login(&self, intended_micros: u64) {
        let signed_in = self.account().sign_in(&self.part, &self.part.run.targets[0]).await;
        self.part.outcome(Metric::Login, intended_micros, &signed_in.map(|session| self.account().keep(session)));
    }

    /// A session nobody else uses; made anew, and not measured, where there is none left.
    async fn session(&self) -> Option<Session> {
        if let Some(session) = self.account().take() {
            return Some(session);
        }
        match self.account().sign_in(&self.part, &self.part.run.targets[0]).await {
            Ok(session) => Some(session),
            Err(class) => {
                self.part.run.fail(&class);
                None
            }
        }
    }

    async fn refresh(&self, intended_micros: u64, reuse: bool) {
        let Some(session) = self.session().await else { return };
        let Some(old) = session.refresh else { return self.part.run.fail("no_refresh_token") };
        let (http, target) = (&self.part.run.http, &self.part.run.targets[0]);
        let renew = || async { http.post(target, "/api/auth/refresh", None, None, &json!({"refresh_token": old})).await };
        let renewed = renew().await.and_then(|answer| Session::of(&answer).filter(|_| answer.status == 200).ok_or_else(|| answer.class()));
        self.part.outcome(Metric::Refresh, intended_micros, &renewed.as_ref().map(drop).map_err(Clone::clone));
        let Ok(renewed) = renewed else { return };
        if !reuse {
            return self.account().keep(renewed);
        }
        // Somebody copied the old one: it is refused, and the whole session ends (ACC-13).
        match renew().await {
            Ok(answer) if answer.is_success() => self.part.run.fail(&format!("{ACCEPTED}used_refresh_token")),
            Ok(answer) if answer.class() == "invalid_refresh_token" => {}
            Ok(answer) => self.part.run.fail(&format!("reuse_{}", answer.class())),
            Err(class) => self.part.run.fail(&class),
        }
        revoke::tokens_are_dead(&self.part, &renewed.access, renewed.refresh.as_deref()).await;
    }

    /// From a strange installation, so that the owner of the account is not locked out.
    async fn wrong_password(&self, dice: &mut Seeded) {
        let password = format!("wrong-{:08x}", dice.next_u64() as u32);
        let form = json!({"phone": self.account().phone, "password": password, "device": device(dice.uuid())});
        match self.part.run.http.post(&self.part.run.targets[0], "/api/auth/login", None, None, &form).await {
            Ok(answer) if answer.is_success() => self.part.run.fail(&format!("{ACCEPTED}wrong_password")),
            Ok(answer) if matches!(answer.class().as_str(), "credentials_wrong" | "sign_in_locked") => {}
            Ok(answer) => self.part.run.fail(&format!("wrong_password_{}", answer.class())),
            Err(class) => self.part.run.fail(&class),
        }
    }

    async fn forged_token(&self, dice: &mut Seeded) {
        let Some(session) = self.session().await else { return };
        let forged = alter(&session.access, dice);
        self.account().keep(session);
        let (run, target) = (&self.part.run, &self.part.run.targets[0]);
        if dice.chance(0.5) {
            match run.http.get(target, "/api/me", Some(&forged)).await {
                Ok(answer) if answer.is_success() => run.fail(&format!("{ACCEPTED}forged_token")),
                Ok(answer) if answer.status == 401 => {}
                Ok(answer) => run.fail(&format!("forged_{}", answer.class())),
                Err(class) => run.fail(&class),
            }
            return;
        }
        match Socket::open(target, &forged, dice.uuid()).await {
            Ok(socket) => {
                run.fail(&format!("{ACCEPTED}forged_token"));
                socket.close().await;
            }
            Err(OpenError::Generator(_)) => run.fail("generator_limit"),
            Err(error) if error.class() == "refused_closed_4002" => {}
            Err(error) => run.fail(&format!("forged_{}", error.class())),
        }
    }

    async fn check(&self, intended_micros: u64) {
        let Some(session) = self.session().await else { return };
        let answer = self.part.run.http.get(&self.part.run.targets[0], "/api/me", Some(&session.access)).await;
        let outcome = answer.and_then(|answer| if answer.is_success() { Ok(()) } else { Err(answer.class()) });
        self.part.outcome(Metric::TokenCheck, intended_micros, &outcome);
        self.account().keep(session);
    }
}

/// One letter of the token becomes another; never its last, some bits of which may mean nothing.
fn alter(token: &str, dice: &mut Seeded) -> String {
    let letters: Vec<usize> = token.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
    let Some(at) = letters.get(dice.below(letters.len().saturating_sub(1).max(1))) else { return "none".into() };
    let other = if token[*at..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &token[..*at], &token[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_token_differs_in_one_letter() {
        let mut dice = Seeded::new(3, "alter");
        for _ in 0..200 {
            let token = "wz1.AAAAQkJC.c2lnbmF0dXJl";
            let forged = alter(token, &mut dice);
            let differing = forged.chars().zip(token.chars()).filter(|(a, b)| a != b).count();
            assert_eq!((forged.len(), differing, forged.ends_with('l')), (token.len(), 1, true), "{forged}");
        }
    }

    #[test]
    fn events_come_in_their_shares() {
        let options = Options {
            login_share: 0.5,
            refresh_share: 0.0,
            sign_out_share: 0.5,
            wrong_share: 0.0,
            forged_share: 0.0,
            ..Options::default()
        };
        let mut dice = Seeded::new(4, "choose");
        let wishes: Vec<Wish> = (0..1000).map(|_| choose(&options, &mut dice)).collect();
        let logins = wishes.iter().filter(|wish| **wish == Wish::Login).count();
        assert!((400..600).contains(&logins), "{logins}");
        assert!(wishes.iter().all(|wish| matches!(wish, Wish::Login | Wish::SignOut)));
    }
}
