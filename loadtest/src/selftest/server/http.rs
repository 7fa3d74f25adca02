//! The paths of the API that the harness uses, in the real one's shapes: sessions, history, and what the shop and the slots add.

use super::world::{TOKEN_LIFE_MS, World, now_ms};
use super::{shop, slots};
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The world as handlers and sockets hold it.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RFC 9457 with our stable codes.
#[derive(Debug)]
pub struct Problem(pub StatusCode, pub &'static str);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "type": "about:blank", "title": self.1, "status": self.0.as_u16(), "code": self.1, "temporary": false });
        (self.0, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

/// Index of the person whose access token came.
#[derive(Debug)]
pub struct Actor(pub usize);

impl FromRequestParts<Shared> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let token = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let person = token.and_then(|token| shared.world().by_token(token));
        person.map(Actor).ok_or(Problem(StatusCode::UNAUTHORIZED, "unauthenticated"))
    }
}

#[derive(Debug, Deserialize)]
struct Renewal {
    refresh_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Range {
    #[serde(default)]
    from_seq: u64,
    #[serde(default)]
    limit: u32,
}

pub fn router(shared: Shared) -> Router {
    Router::new()
        .route("/readyz", get(async || "ready"))
        .route("/healthz", get(async || "alive"))
        .route("/api/auth/refresh", post(refresh))
        .route("/api/conversations/{id}/entries", get(entries))
        .merge(shop::routes())
        .merge(slots::routes())
        .with_state(shared)
}

/// Tokens rotate; the access token that was told before goes on until its end.
async fn refresh(State(shared): State<Shared>, Json(renewal): Json<Renewal>) -> Result<Json<Value>, Problem> {
    let mut world = shared.world();
    let next = world.id();
    let resident = world.residents.iter_mut().find(|resident| renewal.refresh_token.as_ref() == Some(&resident.refresh_token));
    let resident = resident.ok_or(Problem(StatusCode::UNAUTHORIZED, "invalid_refresh_token"))?;
    resident.refresh_token = format!("renew.{next}");
    Ok(Json(json!({
        "access_token": resident.access_token, "access_expires_at": now_ms() + TOKEN_LIFE_MS, "refresh_token": resident.refresh_token,
        "session_id": resident.session, "user": { "id": resident.user, "role": "patient", "roles": [] },
    })))
}

async fn entries(
    State(shared): State<Shared>,
    Actor(person): Actor,
    Path(id): Path<String>,
    Query(range): Query<Range>,
) -> Result<Json<Value>, Problem> {
    let world = shared.world();
    let known = world.conversations.get(&id).filter(|known| known.member(person).is_some());
    let known = known.ok_or(Problem(StatusCode::NOT_FOUND, "unknown_conversation"))?;
    let page = known.page(person, range.from_seq, range.limit);
    Ok(Json(json!({ "entries": page.entries, "head_seq": page.head_seq })))
}
