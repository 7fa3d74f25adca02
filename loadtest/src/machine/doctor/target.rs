//! The installation that will be loaded: whether it answers, and the accept queue of one that listens here.

use super::{Finding, is_loopback};
use crate::machine::Root;
use crate::target::answers;
use std::process::Command;

pub(super) async fn reachable(url: &str) -> Finding {
    let base = url.trim_end_matches('/');
    match answers(&format!("{base}/readyz")).await {
        Ok((200..=299, _)) => match version(base).await {
            Some(version) => Finding::good("target", format!("{base} is ready, version {version}")),
            None => Finding::good("target", format!("{base} is ready and does not say its version")),
        },
        Ok((status, _)) => {
            Finding::spoils("target", format!("{base}/readyz answers {status}"), "wait until it is ready, or look into its log")
        }
        Err(error) => Finding::spoils("target", error.to_string(), "start it, or correct --target"),
    }
}

/// From its description of the API.
pub async fn version(base: &str) -> Option<String> {
    let (status, body) = answers(&format!("{base}/api/openapi.json")).await.ok()?;
    let described: serde_json::Value = serde_json::from_str(&body).ok().filter(|_| status == 200)?;
    described["info"]["version"].as_str().map(str::to_owned)
}

/// Only `ss` shows what a listening socket really got of its backlog.
pub(super) fn backlog(root: &Root, url: &str) -> Option<Finding> {
    let port = url.trim_end_matches('/').rsplit_once(':')?.1.parse::<u16>().ok().filter(|_| is_loopback(url))?;
    let done = Command::new("ss").args(["-ltnH", &format!("sport = :{port}")]).output().ok().filter(|done| done.status.success())?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let queue: u64 = text.lines().next()?.split_whitespace().nth(2)?.parse().ok()?;
    let found = format!("{queue} connections may wait on port {port}");
    if queue >= 1024 {
        return Some(Finding::good("backlog", found));
    }
    let most = root.value::<u64>("proc/sys/net/core/somaxconn").unwrap_or_default();
    let fix = format!("somaxconn is {most}: sysctl -w net.core.somaxconn=4096 and restart the server; or a lower --connect-rate");
    Some(Finding::warning("backlog", found, fix))
}
