//! What points at entries and heads: message ids, live calls, memberships, the feed. Each must point at something, and nothing may be missing.

use super::report::{Finding, Report};
use crate::ids::{ConversationId, UserId};
use crate::log::chain;
use crate::log::embedded::store::Store;
use crate::log::row::{self, EntryRow, FeedRow, IdRow};
use fjall::Keyspace;
use std::collections::BTreeSet;

type Check = Result<(), Finding>;

/// Every conversation that any of the stores has heard of.
pub fn conversations(store: &Store, report: &mut Report) -> BTreeSet<ConversationId> {
    let mut found = BTreeSet::new();
    for (name, keyspace) in [("heads", &store.heads), ("origins", &store.origins), ("entries", &store.entries)] {
        let walked = rows(name, keyspace, |key, _| {
            let id = key.first_chunk::<16>().ok_or_else(|| engine(name, "a key is too short"))?;
            found.insert(ConversationId::from_bytes(*id));
            Ok(())
        });
        walked.unwrap_or_else(|finding| report.found(finding));
    }
    found
}

pub fn check(store: &Store, report: &mut Report) {
    for checked in [ids(store), calls(store), members(store), feed(store, report.entries)] {
        checked.unwrap_or_else(|finding| report.found(finding));
    }
}

fn ids(store: &Store) -> Check {
    rows("ids", &store.ids, |key, value| {
        let malformed = |error: row::MalformedRow| engine("ids", &error.to_string());
        let (conversation, sender, id) = row::decode_id_key(key).map_err(malformed)?;
        let seq = IdRow::decode(value).map_err(malformed)?.seq;
        let broken = |what: &str| Finding::Entry { conversation, seq, what: what.into() };
        let bytes = store.entry(conversation, seq)?.ok_or_else(|| broken("a message id names it, and it is not there"))?;
        let entry = EntryRow::decode(&bytes).map_err(|error| broken(&error.to_string()))?;
        let same = (entry.header.sender, entry.header.id) == (sender, id);
        if same { Ok(()) } else { Err(broken("another message's id names it")) }
    })
}

fn calls(store: &Store) -> Check {
    rows("heads", &store.heads, |key, value| {
        let conversation = row::decode_id::<ConversationId>(key).map_err(|error| engine("heads", &error.to_string()))?;
        let head = row::decode_head(conversation, value).map_err(|error| engine("heads", &error.to_string()))?;
        let listed = store.calls.contains_key(key).map_err(|error| engine("calls", &error.to_string()))?;
        if head.call.is_some() != listed {
            return Err(Finding::Conversation { conversation, what: "its live call is not the one in the index".into() });
        }
        for member in &head.members {
            let pair = row::pair_key(member.user.as_bytes(), conversation.as_bytes());
            if !store.members.contains_key(pair).map_err(|error| engine("members", &error.to_string()))? {
                return Err(Finding::Conversation { conversation, what: format!("member {} does not find it", member.user) });
            }
        }
        Ok(())
    })
}

fn members(store: &Store) -> Check {
    rows("members", &store.members, |key, _| {
        let user = key.first_chunk::<16>().map(|id| UserId::from_bytes(*id)).ok_or_else(|| engine("members", "a key is too short"))?;
        let conversation = row::decode_second::<ConversationId>(key).map_err(|error| engine("members", &error.to_string()))?;
        let known = store.head(conversation)?.is_some_and(|head| head.members.iter().any(|member| member.user == user));
        if known { Ok(()) } else { Err(Finding::Conversation { conversation, what: format!("the index names {user}, who is no member") }) }
    })
}

/// Dense, chained, every row's entry there with that hash, and as many rows as entries.
fn feed(store: &Store, entries: u64) -> Check {
    let (mut cursor, mut chain, mut named) = (0, chain::FEED_BEGINNING, 0);
    rows("feed", &store.feed, |key, value| {
        cursor += 1;
        let broken = |what: &str| Finding::Feed { cursor, what: what.into() };
        if row::decode_cursor(key).ok() != Some(cursor) {
            return Err(broken("missing"));
        }
        let row = FeedRow::decode(value).map_err(|error| broken(&error.to_string()))?;
        let hash = store.entry_hash(row.conversation, row.seq)?.ok_or_else(|| broken("it names an entry that is not there"))?;
        chain = chain::feed_next(&chain, cursor, row.conversation, row.seq, &hash);
        named += u64::from(row.seq > 0);
        if chain == row.chain { Ok(()) } else { Err(broken("it does not follow the one before it")) }
    })?;
    if named == entries {
        Ok(())
    } else {
        Err(Finding::Feed { cursor, what: format!("the feed names {named} entries, {entries} were found sound") })
    }
}

fn rows(name: &'static str, keyspace: &Keyspace, mut check: impl FnMut(&[u8], &[u8]) -> Check) -> Check {
    for guard in keyspace.iter() {
        let (key, value) = guard.into_inner().map_err(|error| engine(name, &error.to_string()))?;
        check(&key, &value)?;
    }
    Ok(())
}

fn engine(keyspace: &str, what: &str) -> Finding {
    Finding::Engine { what: format!("keyspace {keyspace}: {what}") }
}
