//! The proof that no read of clinical data was forgotten afterwards: numbers without a gap, each row after the one before, the head at the
//! end. Reads only, needs no key. Rows from before the chain are counted and not judged.

use super::reads::{ReadRow, origin};
use crate::{
    db::{Db, DbError},
    row, sql,
};
use chat::ids::TenantId;
use std::fmt;
use uuid::Uuid;

const PAGE: i64 = 1_000;

/// What was looked at, and everything that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadsReport {
    pub chained: i64,
    /// From before the chain.
    pub unchained: i64,
    pub findings: Vec<ReadFinding>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadFinding {
    /// Numbers are missing before this one.
    Gap { seq: i64 },
    /// It does not follow the row before it.
    Unlinked { seq: i64, id: Uuid },
    /// Its hash is not that of its content.
    Changed { seq: i64, id: Uuid },
    /// The chain does not end where its head says.
    End { tenant: TenantId },
}

impl fmt::Display for ReadFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { seq } => write!(f, "rows are missing before read {seq}"),
            Self::Unlinked { seq, id } => write!(f, "read {seq} ({id}) does not follow the one before it"),
            Self::Changed { seq, id } => write!(f, "read {seq} ({id}) is not what was written"),
            Self::End { tenant } => write!(f, "the reads of hospital {tenant} do not end where its head says"),
        }
    }
}

row! {
    struct HeadRow { tenant_id: TenantId, seq: i64, hash: Vec<u8> }
    struct TenantRow { tenant_id: TenantId }
}

pub(crate) async fn verify_reads(db: &Db) -> Result<ReadsReport, DbError> {
    let mut report = ReadsReport { chained: 0, unchained: 0, findings: Vec::new() };
    report.unchained = db.scalar(sql!("SELECT COUNT(*) FROM clinical_reads WHERE seq IS NULL")).await?.ok_or(DbError::Missing)?;
    for head in db.all::<HeadRow>(sql!("SELECT tenant_id, seq, hash FROM clinical_read_heads ORDER BY tenant_id")).await? {
        chain(db, &head, &mut report).await?;
    }
    let headless: Vec<TenantRow> = db
        .all(sql!(
            "SELECT DISTINCT r.tenant_id AS tenant_id FROM clinical_reads r
             WHERE r.seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM clinical_read_heads h WHERE h.tenant_id = r.tenant_id)"
        ))
        .await?;
    report.findings.extend(headless.into_iter().map(|row| ReadFinding::End { tenant: row.tenant_id }));
    Ok(report)
}

/// One hospital's rows. After a break it goes on from the row's own word, so that one break is one finding.
async fn chain(db: &Db, head: &HeadRow, report: &mut ReadsReport) -> Result<(), DbError> {
    let (mut seq, mut hash) = (0, origin(head.tenant_id));
    loop {
        let rows: Vec<ReadRow> = db
            .all(sql!(
                "SELECT id, tenant_id, consultation_id, conversation_id, reader_id, session_id, what, purpose, at, seq, prev_hash, hash
                 FROM clinical_reads WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                head.tenant_id,
                seq,
                PAGE
            ))
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.seq != seq + 1 {
                report.findings.push(ReadFinding::Gap { seq: row.seq });
            } else if row.prev_hash != hash {
                report.findings.push(ReadFinding::Unlinked { seq: row.seq, id: row.id });
            }
            if row.computed_hash() != row.hash {
                report.findings.push(ReadFinding::Changed { seq: row.seq, id: row.id });
            }
            report.chained += 1;
            (seq, hash) = (row.seq, row.hash);
        }
    }
    if (seq, &hash) != (head.seq, &head.hash) {
        report.findings.push(ReadFinding::End { tenant: head.tenant_id });
    }
    Ok(())
}
