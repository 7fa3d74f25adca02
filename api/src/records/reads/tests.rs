use super::super::verify::{ReadFinding, ReadsReport, verify_reads};
use super::*;
use crate::{
    db::Statement,
    testing::{TestApp, TestPerson},
};
use chat::ids::Role;

fn actor(test: &TestApp, doctor: &TestPerson<'_>) -> Actor {
    let session = doctor.session_id.parse().unwrap();
    Actor { user: doctor.user, role: Role::Doctor, tenant: test.app.tenant, session }
}

async fn told(test: &TestApp) -> ReadsReport {
    verify_reads(&test.app.db).await.unwrap()
}

/// What somebody with a database shell does.
async fn tamper(test: &TestApp, statement: Statement) {
    let mut tx = test.app.db.begin().await.unwrap();
    assert!(tx.run_one(statement).await.unwrap());
    test.app.commit(tx).await.unwrap();
}

/// D.11-10: reads at the same moment take turns; none is lost, and the chain is whole after a restart.
#[tokio::test]
async fn d_11_10_reads_at_once_make_one_chain() {
    let test = TestApp::start().await;
    let doctor = test.staff("doctor", Role::Doctor, &[]).await;
    let actor = actor(&test, &doctor);
    let ids: Vec<ConsultationId> = (0..5).map(|_| test.app.entropy.id(test.app.clock.now())).collect();
    let reads = (0..20).map(|_| note_reads(&test.app, &actor, &ids, "list"));
    for read in futures_util::future::join_all(reads).await {
        read.unwrap();
    }
    note_history_read(&test.app, &actor, test.app.entropy.id(test.app.clock.now()), None, "entries").await.unwrap();
    assert_eq!(told(&test).await, ReadsReport { chained: 101, unchained: 0, findings: vec![] });
    drop(doctor);
    let test = test.restart().await;
    note_read(&test.app, &actor, ids[0], "record").await.unwrap();
    assert_eq!(told(&test).await, ReadsReport { chained: 102, unchained: 0, findings: vec![] });
}

/// D.11-10: a row that was changed, removed, moved or cut off shows.
#[tokio::test]
async fn d_11_10_whatever_is_done_to_a_row_shows() {
    let test = TestApp::start().await;
    let doctor = test.staff("doctor", Role::Doctor, &[]).await;
    let actor = actor(&test, &doctor);
    for _ in 0..6 {
        note_read(&test.app, &actor, test.app.entropy.id(test.app.clock.now()), "record").await.unwrap();
    }
    assert_eq!(told(&test).await.findings, []);
    let tenant = test.app.tenant;
    tamper(&test, sql!("DELETE FROM clinical_reads WHERE seq = 6")).await;
    assert_eq!(told(&test).await.findings, [ReadFinding::End { tenant }]);
    tamper(&test, sql!("DELETE FROM clinical_reads WHERE seq = 4")).await;
    assert_eq!(told(&test).await.findings, [ReadFinding::Gap { seq: 5 }, ReadFinding::End { tenant }]);
    tamper(&test, sql!("UPDATE clinical_reads SET what = 'list' WHERE seq = 2")).await;
    assert!(matches!(told(&test).await.findings[0], ReadFinding::Changed { seq: 2, .. }));
    tamper(&test, sql!("UPDATE clinical_reads SET prev_hash = hash WHERE seq = 3")).await;
    assert!(told(&test).await.findings.iter().any(|finding| matches!(finding, ReadFinding::Unlinked { seq: 3, .. })));
    tamper(&test, sql!("DELETE FROM clinical_read_heads WHERE tenant_id = $1", tenant)).await;
    assert_eq!(told(&test).await.findings, [ReadFinding::End { tenant }]);
}
