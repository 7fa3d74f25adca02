//! Delivered and read marks: monotone, in memory first, written along with the next batch or tick, never synced for themselves.

use super::store::Store;
use crate::ids::{ConversationId, UserId};
use crate::log::error::LogError;
use crate::log::guard::Refusal;
use crate::log::head::Head;
use crate::log::row;
use crate::log::types::{MarkKind, Marks};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 16;

type Place = (ConversationId, UserId);

/// Marks that are newer than the store's.
#[derive(Default)]
pub struct MarkTable {
    shards: [Mutex<HashMap<Place, Marks>>; SHARDS],
}

impl MarkTable {
    pub fn raise(&self, store: &Store, head: &Head, user: UserId, kind: MarkKind, up_to: u64) -> Result<Marks, LogError> {
        if !head.members.iter().any(|member| member.user == user) {
            return Err(LogError::Refused(Refusal::NotAMember));
        }
        let up_to = up_to.min(head.seq);
        let place = (head.conversation, user);
        let mut dirty = self.shard(head.conversation);
        // Read under the lock: a mark that another task raised and the writer has just written must not be lowered again.
        let before = match dirty.get(&place) {
            Some(marks) => *marks,
            None => stored(store, place)?,
        };
        let mut marks = before;
        marks.delivered = marks.delivered.max(up_to);
        if kind == MarkKind::Read {
            marks.read = marks.read.max(up_to);
        }
        if marks != before {
            dirty.insert(place, marks);
        }
        Ok(marks)
    }

    pub fn of(&self, store: &Store, conversation: ConversationId) -> Result<Vec<(UserId, Marks)>, LogError> {
        let mut all = HashMap::new();
        let dirty = self.shard(conversation);
        for guard in store.marks.prefix(conversation.as_bytes()) {
            let (key, value) = guard.into_inner().map_err(LogError::engine("reading marks"))?;
            let user = row::decode_second::<UserId>(&key).map_err(super::store::malformed(conversation, "marks key"))?;
            all.insert(user, row::decode_marks(&value).map_err(super::store::malformed(conversation, "marks row"))?);
        }
        all.extend(dirty.iter().filter(|(place, _)| place.0 == conversation).map(|(place, marks)| (place.1, *marks)));
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|(user, _)| *user);
        Ok(all)
    }

    /// What the writer should write now; it stays here until [`Self::written`].
    pub fn pending(&self, max: usize) -> Vec<(Place, Marks)> {
        let mut pending = Vec::new();
        for shard in &self.shards {
            let dirty = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let room = max - pending.len();
            pending.extend(dirty.iter().take(room).map(|(place, marks)| (*place, *marks)));
        }
        pending
    }

    pub fn written(&self, rows: &[(Place, Marks)]) {
        for (place, marks) in rows {
            let mut dirty = self.shard(place.0);
            if dirty.get(place) == Some(marks) {
                dirty.remove(place);
            }
        }
    }

    fn shard(&self, conversation: ConversationId) -> MutexGuard<'_, HashMap<Place, Marks>> {
        let index = usize::from(conversation.as_bytes()[15]) % SHARDS;
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stored(store: &Store, (conversation, user): Place) -> Result<Marks, LogError> {
    let key = row::pair_key(conversation.as_bytes(), user.as_bytes());
    let found = store.marks.get(key).map_err(LogError::engine("reading marks"))?;
    found.map_or(Ok(Marks::default()), |bytes| row::decode_marks(&bytes).map_err(super::store::malformed(conversation, "marks row")))
}
