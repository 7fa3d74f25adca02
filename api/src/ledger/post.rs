//! Writes a transaction into the books, in the caller's database transaction.

use super::Transaction;
use crate::{
    db::{DbError, Tx},
    sql,
    state::App,
};

/// False: this (kind, external id) is in the books already and nothing was written.
///
/// An account that would be overdrawn refuses with [`DbError::Constraint`], and the caller's transaction is over.
pub(crate) async fn post(app: &App, tx: &mut Tx, transaction: &Transaction) -> Result<bool, DbError> {
    let now = app.clock.now();
    let id = app.entropy.uuid(now);
    let fresh = tx
        .run_one(sql!(
            "INSERT INTO ledger_transactions (id, tenant, kind, order_id, external_id, posted_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (kind, external_id) DO NOTHING",
            id,
            app.tenant,
            transaction.kind().code(),
            transaction.order(),
            transaction.external_id(),
            now
        ))
        .await?;
    if !fresh {
        return Ok(false);
    }
    for (at, line) in (1_i64..).zip(transaction.lines()) {
        tx.run(sql!(
            "INSERT INTO ledger_lines (transaction_id, line, account, owner, amount_fen) VALUES ($1, $2, $3, $4, $5)",
            id,
            at,
            line.account.code(),
            line.account.owner(),
            line.amount_fen
        ))
        .await?;
        if line.account.has_floor() {
            move_balance(app, tx, line).await?;
        }
    }
    Ok(true)
}

/// A credit may open the row; a debit needs one that covers it, which the table's CHECK enforces.
async fn move_balance(app: &App, tx: &mut Tx, line: &super::Line) -> Result<(), DbError> {
    let (account, owner) = (line.account.code(), line.account.owner());
    if line.amount_fen < 0 {
        tx.run(sql!(
            "INSERT INTO ledger_balances (tenant, account, owner, balance_fen) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, account, owner) DO UPDATE SET balance_fen = ledger_balances.balance_fen + excluded.balance_fen",
            app.tenant,
            account,
            owner,
            line.amount_fen
        ))
        .await?;
        return Ok(());
    }
    let moved = tx
        .run_one(sql!(
            "UPDATE ledger_balances SET balance_fen = balance_fen + $1 WHERE tenant = $2 AND account = $3 AND owner = $4",
            line.amount_fen,
            app.tenant,
            account,
            owner
        ))
        .await?;
    if moved { Ok(()) } else { Err(DbError::Missing) }
}
