//! How much one person may upload in a day. Exact: it is looked at again in the transaction that inserts.

use super::{model, queries};
use crate::{config::Uploads, db::Tx, http::Problem};
use chat::ids::{Timestamp, UserId};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// `more_bytes` are about to be added.
pub(super) async fn check(rules: &Uploads, tx: &mut Tx, user: UserId, now: Timestamp, more_bytes: i64) -> Result<(), Problem> {
    let used = queries::used_since(tx, user, now.plus_ms(-DAY_MS)).await?;
    if used.files >= rules.files_per_day_max || used.bytes.saturating_add(more_bytes) > rules.bytes_per_day_max {
        return Err(model::QUOTA_EXCEEDED.into());
    }
    Ok(())
}
