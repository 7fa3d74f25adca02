//! Synthetic people for load tests: pairs of a patient and a doctor with an open conversation, the same ones every time.
//!
//! Their ids follow from their number, so a second run finds them again. They have no phone, no name and no password.

use super::Minted;
use crate::{
    accounts::{self, NewAccount, insert_account},
    db::{DbError, Tx},
    http::Problem,
    state::App,
};
use chat::{
    ids::{ConversationId, Role, UserId},
    log::{
        NewConversation,
        head::{ConversationState, Member, RetentionClass},
    },
    wire::SenderRole,
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Pairs a transaction, so that the writer is not held for seconds.
const PAIRS_AT_ONCE: usize = 500;
const CONVERSATIONS_AT_ONCE: usize = 256;

#[derive(Clone, Copy)]
struct Pair {
    patient: UserId,
    doctor: UserId,
    conversation: ConversationId,
}

/// `count` people as JSON lines, the two sides of each conversation one after the other; made as the stream is read.
pub(super) fn lines(app: &App, count: usize) -> impl Stream<Item = Result<Vec<u8>, Problem>> + Send + use<> {
    let app = app.clone();
    let pairs = count.div_ceil(2);
    stream::iter((0..pairs).step_by(PAIRS_AT_ONCE)).then(move |first| {
        let app = app.clone();
        async move {
            let mut people = mint(&app, first..pairs.min(first + PAIRS_AT_ONCE)).await?;
            people.truncate(count - first * 2);
            as_lines(&people).map_err(|error| DbError::from(error).into())
        }
    })
}

fn as_lines(people: &[Minted]) -> Result<Vec<u8>, serde_json::Error> {
    people.iter().try_fold(Vec::new(), |mut lines, person| {
        serde_json::to_writer(&mut lines, person)?;
        lines.push(b'\n');
        Ok(lines)
    })
}

async fn mint(app: &App, numbers: std::ops::Range<usize>) -> Result<Vec<Minted>, Problem> {
    let pairs: Vec<Pair> = numbers.map(|number| pair(app, number)).collect();
    app.keys.prepare_people(pairs.iter().flat_map(|pair| [pair.patient, pair.doctor]).collect()).await?;
    let mut minted = Vec::with_capacity(pairs.len() * 2);
    let mut tx = app.db.begin().await?;
    for pair in &pairs {
        minted.push(person(app, &mut tx, *pair, (pair.patient, Role::Patient), pair.doctor).await?);
        minted.push(person(app, &mut tx, *pair, (pair.doctor, Role::Doctor), pair.patient).await?);
    }
    app.commit(tx).await?;
    let conversations = stream::iter(pairs).map(|pair| make_conversation(app, pair)).buffer_unordered(CONVERSATIONS_AT_ONCE);
    conversations.try_collect::<()>().await?;
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

/// Made when he is not there yet; a session of his own each time.
async fn person(app: &App, tx: &mut Tx, pair: Pair, (user, role): (UserId, Role), peer: UserId) -> Result<Minted, Problem> {
    insert_account(app, tx, &account(app, user, role)).await?;
    let tokens = accounts::open_session_unproven(app, tx, user, role).await?;
    Ok(Minted {
        user: user.to_string(),
        role: if role == Role::Patient { "patient" } else { "doctor" }.to_owned(),
        conversation: pair.conversation.to_string(),
        peer: peer.to_string(),
        access_token: tokens.access_token,
        expires_at_ms: tokens.access_expires_at.0,
        refresh_token: tokens.refresh_token,
        session: tokens.session.to_string(),
    })
}

#[cfg(test)]
mod tests;
