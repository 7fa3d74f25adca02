//! What members of staff may do beyond signing in. Looked up at every use: taking it away works at once.

use crate::{
    authz::Actor,
    db::{DbError, Tx},
    sql,
    state::App,
    text_enum,
};
use chat::ids::UserId;

text_enum! {
    pub enum StaffFunction {
        /// Decides on reviews that wait for moderation (REV-02).
        Reviewer = "reviewer",
        /// Bands of prices, departments, settings.
        Administrator = "administrator",
    }
}

pub(crate) async fn has_function(app: &App, actor: &Actor, function: StaffFunction) -> Result<bool, DbError> {
    let found: Option<i64> = app
        .db
        .scalar(sql!(
            "SELECT COUNT(*) FROM staff_functions f JOIN accounts a ON a.id = f.user_id
             WHERE f.user_id = $1 AND f.staff_function = $2 AND a.tenant_id = $3 AND a.suspended_at IS NULL",
            actor.user,
            function,
            actor.tenant
        ))
        .await?;
    Ok(found == Some(1))
}

pub(super) async fn grant(tx: &mut Tx, user: UserId, function: StaffFunction) -> Result<(), DbError> {
    tx.run(sql!("INSERT INTO staff_functions (user_id, staff_function) VALUES ($1, $2) ON CONFLICT DO NOTHING", user, function)).await?;
    Ok(())
}
