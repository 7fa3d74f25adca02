//! Synthetic people for load tests: pairs of a patient and a doctor with an open conversation, the same ones every time.
//!
//! Their ids follow from their number, so a second run finds them again. They have no phone, no name and no password.

use super::Minted;
use crate::{
    accounts::{NewAccount, insert_account},
    http::Problem,
    state::App,
};
use chat::{
    ids::{ConversationId, Role, SessionId, UserId},
    log::{
        NewConversation,
        head::{ConversationState, Member, RetentionClass},
    },
    token::AccessClaims,
    wire::SenderRole,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Accounts a transaction, so that the writer is not held for seconds.
const ACCOUNTS_PER_TX: usize = 500;
const CONVERSATIONS_AT_ONCE: usize = 64;

#[derive(Clone, Copy)]
struct Pair {
    patient: UserId,
    doctor: UserId,
    conversation: ConversationId,
}

/// `count` people: the two sides of each conversation one after the other.
pub(super) async fn mint(app: &App, count: usize) -> Result<Vec<Minted>, Problem> {
    let pairs: Vec<Pair> = (0..count.div_ceil(2)).map(|number| pair(app, number)).collect();
    make_accounts(app, &pairs).await?;
    stream::iter(pairs.clone())
        .map(|pair| make_conversation(app, pair))
        .buffer_unordered(CONVERSATIONS_AT_ONCE)
        .try_collect::<()>()
        .await?;
    let mut minted = Vec::with_capacity(count + 1);
    for pair in &pairs {
        minted.push(person(app, *pair, pair.patient, Role::Patient, pair.doctor)?);
        minted.push(person(app, *pair, pair.doctor, Role::Doctor, pair.patient)?);
    }
    minted.truncate(count);
    Ok(minted)
}

fn pair(app: &App, number: usize) -> Pair {
    Pair {
        patient: UserId(derived(app, "patient", number)),
        doctor: UserId(derived(app, "doctor", number)),
        conversation: ConversationId(derived(app, "conversation", number)),
    }
}

/// A UUID of version 8 (RFC 9562): made of a hash, so that the same number is the same person.
fn derived(app: &App, word: &str, number: usize) -> Uuid {
    let digest = Sha256::digest(format!("load {} {word} {number}", app.tenant));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

async fn make_accounts(app: &App, pairs: &[Pair]) -> Result<(), Problem> {
    app.keys.prepare_people(pairs.iter().flat_map(|pair| [pair.patient, pair.doctor]).collect()).await?;
    for pairs in pairs.chunks(ACCOUNTS_PER_TX / 2) {
        let mut tx = app.db.begin().await?;
        for pair in pairs {
            for (user, role) in [(pair.patient, Role::Patient), (pair.doctor, Role::Doctor)] {
                insert_account(app, &mut tx, &account(app, user, role)).await?;
            }
        }
        app.commit(tx).await?;
    }
    Ok(())
}

fn account(app: &App, id: UserId, role: Role) -> NewAccount {
    NewAccount {
        id,
        tenant: app.tenant,
        role,
        account_name: None,
        phone: None,
        name: None,
        sex: None,
        birth_date: None,
        password_hash: None,
        functions: Vec::new(),
    }
}

async fn make_conversation(app: &App, pair: Pair) -> Result<(), Problem> {
    let member = |user, role| Member { user, role, visible_from: 1, left_at: None };
    let new = NewConversation {
        id: pair.conversation,
        tenant: app.tenant,
        subject: pair.patient,
        members: vec![member(pair.patient, SenderRole::Patient), member(pair.doctor, SenderRole::Doctor)],
        state: ConversationState::Open,
        retention: RetentionClass::Service,
        first: Vec::new(),
    };
    app.log.create(new).await.map(drop).map_err(|error| Problem::internal(&error))
}

fn person(app: &App, pair: Pair, user: UserId, role: Role, peer: UserId) -> Result<Minted, Problem> {
    let issued_at = app.clock.now();
    let session: SessionId = app.entropy.id(issued_at);
    let expires_at = issued_at.plus_ms(chat::token::TOKEN_LIFE_MS_MAX);
    let claims = AccessClaims { user, session, tenant: app.tenant, role, issued_at, expires_at };
    Ok(Minted {
        user: user.to_string(),
        role: if role == Role::Patient { "patient" } else { "doctor" }.to_owned(),
        conversation: pair.conversation.to_string(),
        peer: peer.to_string(),
        access_token: app.tokens.mint(&claims).map_err(|error| Problem::internal(&error))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestApp;

    #[tokio::test]
    async fn people_are_made_once_and_found_again() {
        let test = TestApp::start().await;
        let first = mint(&test.app, 5).await.unwrap();
        assert_eq!((first.len(), first[0].role.as_str(), first[1].role.as_str()), (5, "patient", "doctor"));
        assert_eq!((&first[0].peer, &first[0].conversation), (&first[1].user, &first[1].conversation));
        let again = mint(&test.app, 4).await.unwrap();
        assert_eq!(again[2].user, first[2].user);
        let claims = test.app.tokens.verify(&first[0].access_token, test.app.clock.now()).unwrap();
        assert_eq!(claims.user.to_string(), first[0].user);
        let mine = test.app.log.conversations_of(claims.user, 10).await.unwrap();
        assert_eq!(mine.len(), 1);
    }

    /// The door shows itself only to whoever holds the keys; to everybody else it does not exist.
    #[tokio::test]
    async fn the_door_is_not_there_without_the_key() {
        let test = TestApp::start().await;
        let body = serde_json::json!({ "count": 2 });
        test.post(super::super::DOOR, body).await.refused(404, "not_found");
    }
}
