//! Who is asking. Made by [`super::enforce`] from a verified token, by nobody else.

use crate::{
    http::{Problem, codes},
    state::App,
};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use chat::ids::{Role, SessionId, TenantId, UserId};
use http::request::Parts;
use std::convert::Infallible;

/// First argument of every query that reads or writes somebody's data.
#[derive(Clone, Debug)]
pub struct Actor {
    pub user: UserId,
    pub role: Role,
    pub tenant: TenantId,
    pub session: SessionId,
}

impl FromRequestParts<App> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| codes::UNAUTHENTICATED.into())
    }
}

impl OptionalFromRequestParts<App> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
