//! Random lives: whoever does whatever, whenever, no consultation is stuck and SQL and log agree (D.11-5, 13, 15).

use super::*;
use chat::{entropy::Entropy, log::head::ConversationState};

const LIVES: u64 = 12;
const STEPS: usize = 10;

#[tokio::test]
async fn d_11_5_no_paid_order_is_stuck() {
    let test = clinic().await;
    for seed in 0..LIVES {
        let chance = Entropy::seeded(seed);
        let (doctor, patient) = (doctor(&test).await, patient(&test, seed).await);
        let body = request(&test, &patient, &doctor, if seed % 3 == 0 { "return_visit" } else { "advice" }, "text").await;
        let created = patient.post("/api/consultations", body).await.status(201).json();
        let id = created["id"].clone();
        for _ in 0..STEPS {
            one_step(&test, &chance, &created).await;
            agree(&test, &id, seed).await;
        }
        // Nobody does anything any more: time alone brings it to an end.
        for _ in 0..4 {
            test.advance_ms(49 * HOUR_MS).await;
        }
        let word = stored(&test, &id).await.state.word();
        assert!(stored(&test, &id).await.state.is_final(), "seed {seed}: stuck in {word}");
    }
}

async fn patient(test: &TestApp, seed: u64) -> TestPerson<'_> {
    test.patient(&format!("1361112{seed:04}")).await
}

/// Any command by anybody entitled to try; a refusal must be one of the stable words, never a failure of ours.
async fn one_step(test: &TestApp, chance: &Entropy, created: &Value) {
    let id = created["id"].clone();
    let it = stored(test, &id).await;
    let patient = sign_in(test, it.patient).await;
    let doctor = sign_in(test, it.doctor_user).await;
    let answer = match chance.up_to(9) {
        0 | 1 => {
            let _ = pay(test, created).await;
            return;
        }
        2 => patient.act(&path(&id, "cancel")).await,
        3 | 4 => doctor.post(&path(&id, "accept"), json!({ "meets_return_visit_conditions": true })).await,
        5 => doctor.post(&path(&id, "reject"), json!({ "reason": "忙" })).await,
        6 => {
            let _ = say(test, &id, it.doctor_user, "您好").await;
            return catch_up(&test.app).await.unwrap();
        }
        7 => doctor.post(&path(&id, "terminate"), json!({ "reason_code": "first_visit" })).await,
        8 => doctor.act(&path(&id, "end")).await,
        _ => {
            let jump_ms = i64::try_from(chance.up_to(30 * 3_600_000)).unwrap();
            return test.advance_ms(jump_ms).await;
        }
    };
    assert!(answer.code.is_success() || answer.code.is_client_error(), "{}", answer.text());
}

/// Tokens live ten minutes and this clock jumps: sign the same person in by a token of his own.
async fn sign_in(test: &TestApp, user: UserId) -> TestPerson<'_> {
    let now = test.app.clock.now();
    let role: Option<String> = test.app.db.scalar(crate::sql!("SELECT role FROM accounts WHERE id = $1", user)).await.unwrap();
    let role = if role.as_deref() == Some("doctor") { chat::ids::Role::Doctor } else { chat::ids::Role::Patient };
    let claims = chat::token::AccessClaims {
        user,
        session: test.app.entropy.id(now),
        tenant: test.app.tenant,
        role,
        issued_at: now,
        expires_at: now.plus_ms(5 * MINUTE_MS),
    };
    let access_token = test.app.tokens.mint(&claims).unwrap();
    TestPerson { test, user, access_token, refresh_token: None, session_id: String::new() }
}

/// D.11-15 and §9: one live timer exactly where a deadline stands; the log is open exactly while SQL says so.
async fn agree(test: &TestApp, id: &Value, seed: u64) {
    let it = stored(test, id).await;
    let timers = i64::from(it.state.deadline(&test.app.config.consultations).is_some());
    assert_eq!(timers_of(test, id).await, timers, "seed {seed}: {}", it.state.word());
    let Some(head) = test.app.log.head(it.conversation).await.unwrap() else {
        assert!(it.paid_at.is_none(), "seed {seed}: paid without a conversation");
        return;
    };
    let expected = match it.state.word() {
        "paid_waiting" => ConversationState::Waiting,
        "in_progress" => ConversationState::Open,
        _ => ConversationState::Closed,
    };
    assert_eq!(head.state, expected, "seed {seed}: {}", it.state.word());
}
