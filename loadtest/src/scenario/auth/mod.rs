//! `auth`: people signing in, renewing their tokens, signing out, while others try wrong passwords and forged tokens; and one wave in
//! which many sign out at once while somebody speaks to them.
//!
//! Its people are of two kinds: accounts with a password, registered through the public API, make the storm; the run's own people
//! (whose sessions exist already) make the wave.

mod accounts;
mod revoke;
mod storm;
mod wave;

use crate::plan::Arrivals;
use crate::run::{Part, RunError};
use crate::schedule::Intended;
use crate::seed::Seeded;
use serde::Deserialize;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Accounts to register, through the demo's SMS inbox.
    pub accounts: usize,
    /// Instead of registering: JSON lines with `phone` and `password`.
    pub credentials: Option<std::path::PathBuf>,
    /// Parts of the events; what is left over are plain requests with a token.
    pub login_share: f64,
    pub refresh_share: f64,
    pub sign_out_share: f64,
    pub wrong_share: f64,
    pub forged_share: f64,
    /// Part of the refreshes after which the old refresh token is used once more.
    pub reuse_share: f64,
    /// When the wave comes, as a part of the run, 0 to 1.
    pub wave_at: f64,
    /// Part of the pairs of which one side signs out in the wave.
    pub wave_share: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            accounts: 40,
            credentials: None,
            login_share: 0.2,
            refresh_share: 0.25,
            sign_out_share: 0.1,
            wrong_share: 0.05,
            forged_share: 0.1,
            reuse_share: 0.1,
            wave_at: 0.5,
            wave_share: 1.0,
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), RunError> {
        let of_events = [self.login_share, self.refresh_share, self.sign_out_share, self.wrong_share, self.forged_share];
        let alone = [self.reuse_share, self.wave_at, self.wave_share];
        let right = of_events.iter().chain(&alone).all(|share| (0.0..=1.0).contains(share)) && of_events.iter().sum::<f64>() <= 1.0;
        if right { Ok(()) } else { Err(RunError::Usage(format!("options of auth that cannot be: {self:?}"))) }
    }
}

pub async fn run(part: Part) -> Result<(), RunError> {
    let options: Options = part.options()?;
    options.check()?;
    if part.plan.arrivals == Arrivals::Closed {
        return Err(RunError::Usage("auth has no closed loop: people sign in at a rate".into()));
    }
    let accounts = Arc::new(accounts::find(&part, &options).await?);
    let pairs = wave::pairs(&part, options.wave_share).await;
    let start = part.begin().await;
    let wave_micros = start + (part.run.plan.length.micros() as f64 * options.wave_at) as u64;
    let signing_out: Vec<_> = pairs.into_iter().map(|pair| tokio::spawn(wave::sign_out(part.clone(), pair, wave_micros))).collect();
    let tasks = TaskTracker::new();
    act(&part, &options, accounts, &tasks).await;
    tasks.close();
    // What is longer under way is told by its own deadline.
    let _ = tokio::time::timeout(part.run.plan.patience.0, tasks.wait()).await;
    let mut staying = Vec::new();
    for pair in signing_out {
        staying.extend(pair.await);
    }
    part.done().await;
    for pair in staying {
        wave::read_back(&part, pair).await;
    }
    Ok(())
}

async fn act(part: &Part, options: &Options, accounts: Arc<Vec<accounts::Account>>, tasks: &TaskTracker) {
    let (runtime, tasks, of, start) = (tokio::runtime::Handle::current(), tasks.clone(), part.clone(), part.run.start_micros());
    let (options, actors) = (options.clone(), accounts.len());
    let act = move |event: Intended| {
        let mut dice = Seeded::new(event.nonce, "auth");
        let wish = storm::choose(&options, &mut dice);
        let acting = storm::Acting { part: of.clone(), accounts: accounts.clone(), account: event.actor as usize };
        tasks.spawn_on(storm::act(acting, wish, start + event.at_micros, dice), &runtime);
    };
    part.pace(actors, act).await;
    part.until_end().await;
}
