//! `wenzhen admin mint-tokens`: through the running server, or on the store itself when none runs.

use super::{DOOR, PEOPLE_MAX, door, people};
use crate::{build, config::Config, http::Problem, keys::Keys};
use chat::{clock::Clock, entropy::Entropy};
use futures_util::TryStreamExt;
use std::{io::Write, net::SocketAddr, pin::pin};

#[derive(Debug, thiserror::Error)]
pub(crate) enum MintError {
    #[error("tokens are minted in demo mode only: start with `serve --demo`, or pass --demo")]
    NotDemo,
    #[error("at most {PEOPLE_MAX} people at once")]
    TooMany,
    #[error("opening the keys")]
    Keys(#[from] crate::keys::KeyError),
    #[error("opening the stores")]
    Start(#[from] crate::StartError),
    #[error("asking the running server")]
    Ask(#[from] reqwest::Error),
    #[error("the running server refused ({0})")]
    Refused(u16),
    #[error("making people: {0}")]
    People(&'static str),
    #[error("writing the lines")]
    Write(#[from] std::io::Error),
}

/// Writes one line for each person to `out`, as they are made.
pub(crate) async fn mint_tokens(config: Config, count: usize, out: &mut impl Write) -> Result<(), MintError> {
    if count > PEOPLE_MAX {
        return Err(MintError::TooMany);
    }
    if let Some(addr) = door::announced(&config.data)
        && ask(&config, addr, count, out).await?
    {
        return Ok(out.flush()?);
    }
    if !config.demo {
        return Err(MintError::NotDemo);
    }
    let app = build(config, Clock::System, Entropy::System).await?;
    let written = write_lines(&app, count, out).await;
    app.close().await;
    written
}

async fn write_lines(app: &crate::state::App, count: usize, out: &mut impl Write) -> Result<(), MintError> {
    let mut lines = pin!(people::lines(app, count));
    while let Some(some) = lines.try_next().await.map_err(|problem: Problem| MintError::People(problem.code.code))? {
        out.write_all(&some)?;
    }
    Ok(out.flush()?)
}

/// False when nobody listens there any more. A stream that breaks off is an error, not an end.
async fn ask(config: &Config, addr: SocketAddr, count: usize, out: &mut impl Write) -> Result<bool, MintError> {
    let keys = Keys::open(&config.keys, &Entropy::System)?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.post(format!("http://{addr}{DOOR}")).bearer_auth(door::key(&keys)).json(&serde_json::json!({ "count": count }));
    let mut answer = match request.send().await {
        Ok(answer) if answer.status().is_success() => answer,
        Ok(answer) => return Err(MintError::Refused(answer.status().as_u16())),
        Err(error) if error.is_connect() => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    while let Some(some) = answer.chunk().await? {
        out.write_all(&some)?;
    }
    Ok(true)
}
