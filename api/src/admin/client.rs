//! `wenzhen admin mint-tokens`: through the running server, or on the store itself when none runs.

use super::{DOOR, Minted, door, people};
use crate::{build, config::Config, keys::Keys};
use chat::{clock::Clock, entropy::Entropy};
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error)]
pub(crate) enum MintError {
    #[error("tokens are minted in demo mode only: start with `serve --demo`, or pass --demo")]
    NotDemo,
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
}

pub(crate) async fn mint_tokens(config: Config, count: usize) -> Result<Vec<Minted>, MintError> {
    if let Some(addr) = door::announced(&config.data)
        && let Some(minted) = ask(&config, addr, count).await?
    {
        return Ok(minted);
    }
    if !config.demo {
        return Err(MintError::NotDemo);
    }
    let app = build(config, Clock::System, Entropy::System).await?;
    let minted = people::mint(&app, count).await.map_err(|problem| MintError::People(problem.code.code));
    app.close().await;
    minted
}

/// None when nobody listens there any more.
async fn ask(config: &Config, addr: SocketAddr, count: usize) -> Result<Option<Vec<Minted>>, MintError> {
    let keys = Keys::open(&config.keys, &Entropy::System)?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.post(format!("http://{addr}{DOOR}")).bearer_auth(door::key(&keys)).json(&serde_json::json!({ "count": count }));
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(Some(answer.json().await?)),
        Ok(answer) => Err(MintError::Refused(answer.status().as_u16())),
        Err(error) if error.is_connect() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
