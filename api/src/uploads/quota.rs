//! How much one person may upload in a day. Exact: it is looked at again in the transaction that inserts.

use super::{model, queries};
use crate::{db::Tx, http::Problem};
use chat::ids::{Timestamp, UserId};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const FILES_PER_DAY_MAX: i64 = 200;
/// Of what is stored, after it was written anew.
const BYTES_PER_DAY_MAX: i64 = 300 * 1024 * 1024;

/// `more_bytes` are about to be added.
pub(super) async fn check(tx: &mut Tx, user: UserId, now: Timestamp, more_bytes: i64) -> Result<(), Problem> {
    let used = queries::used_since(tx, user, now.plus_ms(-DAY_MS)).await?;
    if used.files >= FILES_PER_DAY_MAX || used.bytes.saturating_add(more_bytes) > BYTES_PER_DAY_MAX {
        return Err(model::QUOTA_EXCEEDED.into());
    }
    Ok(())
}
