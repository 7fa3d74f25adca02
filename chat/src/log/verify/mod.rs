//! Proves a data directory, or names what is broken in it. Reads the directory and works on a copy: the engine writes when it opens.
//!
//! Without keys everything but the words is proved: order, chain, ids, indexes, feed, anchor. With keys also that each body opens, is the
//! one its id was given for, and that the head is what the entries make of the origin.

mod conversation;
pub(super) mod files;
mod indexes;
mod report;

pub use report::{Finding, Report};

use super::embedded::anchor::{self, Anchor};
use super::embedded::journal::{Journal, Rest};
use super::embedded::store::Store;
use super::embedded::{engine, replay};
use super::error::LogError;
use crate::ids::ConversationId;
use crate::seal::{DataKey, KeyError, KeySource};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const CACHE_BYTES: u64 = 16 << 20;

/// `Err` only when the directory cannot be read or copied at all; damage is in the report.
pub async fn verify(dir: &Path, keys: Option<&dyn KeySource>) -> Result<Report, LogError> {
    let mut report = Report { bodies_checked: keys.is_some(), ..Report::default() };
    let Some(anchor) = anchor_of(dir, &mut report)? else { return Ok(report) };
    let store_dir = dir.join(engine::STORE);
    if !store_dir.exists() {
        report.found(Finding::Engine { what: "the store is missing".into() });
        return Ok(report);
    }
    let pending = replay::read(&store_dir)?;
    pending.journals.iter().for_each(|journal| finding_of(journal).into_iter().for_each(|finding| report.found(finding)));
    let copy = files::copy(&store_dir)?;
    let store = match engine::open_store(copy.path(), Some(pending), CACHE_BYTES, &anchor) {
        Ok(store) => store,
        Err(error) => {
            report.found(Finding::Engine { what: whole_story(&error) });
            return Ok(report);
        }
    };
    guarded(&mut report, |report| files::tables(&store, copy.path(), &store_dir, report));
    guarded(&mut report, |report| {
        if let Err(error) = anchor::check(&store, &anchor) {
            report.found(Finding::of(&error));
        }
    });
    for id in indexes::conversations(&store, &mut report) {
        let key = key_of(&store, keys, id, &mut report).await;
        guarded(&mut report, |report| conversation::check(&store, key.as_ref(), id, report));
        report.conversations += 1;
    }
    guarded(&mut report, |report| indexes::check(&store, report));
    Ok(report)
}

fn finding_of(journal: &Journal) -> Option<Finding> {
    match &journal.rest {
        Rest::Nothing | Rest::Torn => None,
        Rest::Finished => Some(Finding::of(&journal.torn_tail())),
        Rest::Damage(damage) => Some(Finding::Journal(damage.clone())),
    }
}

fn anchor_of(dir: &Path, report: &mut Report) -> Result<Option<Anchor>, LogError> {
    match anchor::read(dir) {
        Ok(Some(anchor)) => Ok(Some(anchor)),
        Ok(None) => {
            report.found(Finding::Engine { what: "the tail anchor is missing".into() });
            Ok(None)
        }
        Err(error @ LogError::Damaged { .. }) => {
            report.found(Finding::of(&error));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// `None` where bodies cannot be checked: no keys given, or the person erased.
async fn key_of(store: &Store, keys: Option<&dyn KeySource>, id: ConversationId, report: &mut Report) -> Option<DataKey> {
    let keys = keys?;
    let origin = store.origin(id).ok().flatten()?;
    let fetched = async { Ok((keys.tenant_key(origin.head.tenant).await?, keys.person_key(origin.head.subject).await?)) };
    let opened = match fetched.await {
        Ok((tenant, person)) => DataKey::unwrap(&origin.key, (origin.head.tenant, &tenant), (origin.head.subject, &person), id),
        Err(KeyError::Destroyed) => {
            report.erased += 1;
            return None;
        }
        Err(error) => {
            report.found(Finding::Conversation { conversation: id, what: error.to_string() });
            return None;
        }
    };
    if opened.is_err() {
        report.found(Finding::Conversation { conversation: id, what: "its key does not open with these keys".into() });
    }
    opened.ok()
}

/// A damaged file can make the engine panic; that too is a finding.
fn guarded(report: &mut Report, check: impl FnOnce(&mut Report)) {
    if catch_unwind(AssertUnwindSafe(|| check(report))).is_err() {
        report.found(Finding::Engine { what: "the engine cannot read its files".into() });
    }
}

fn whole_story(error: &LogError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
