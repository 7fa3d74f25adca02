//! The layer in front of every route: token, revocation, table. Denies what it does not know.

use super::{Actor, RULES, Who, find};
use crate::{
    accounts,
    http::{Problem, codes},
    state::App,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use chat::{ids::Role, token::TokenError};
use http::{HeaderMap, header};

pub(crate) async fn enforce(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>().ok_or_else(Problem::not_found)?;
    let Some(access) = find(request.method(), path.as_str()) else {
        if RULES.iter().any(|row| row.path == path.as_str()) {
            return Err(codes::METHOD_NOT_ALLOWED.into());
        }
        tracing::error!(method = %request.method(), route = path.as_str(), "authz.route_without_rule");
        return Err(codes::FORBIDDEN.into());
    };
    let actor = authenticate(&app, request.headers());
    match access.who {
        Who::Public | Who::Callback => {
            if let Ok(actor) = actor {
                request.extensions_mut().insert(actor);
            }
        }
        who => {
            let actor = actor?;
            allow(&app, &actor, who).await?;
            request.extensions_mut().insert(actor);
        }
    }
    Ok(next.run(request).await)
}

/// The actor of a bearer token that is genuine, alive and of a session that was not revoked.
fn authenticate(app: &App, headers: &HeaderMap) -> Result<Actor, Problem> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(codes::UNAUTHENTICATED)?;
    let claims = app.tokens.verify(token, app.clock.now()).map_err(|error| match error {
        TokenError::Expired => codes::TOKEN_EXPIRED,
        _ => codes::UNAUTHENTICATED,
    })?;
    if app.revoked.contains(claims.session) {
        return Err(codes::SESSION_REVOKED.into());
    }
    Ok(Actor { user: claims.user, role: claims.role, tenant: claims.tenant, session: claims.session })
}

async fn allow(app: &App, actor: &Actor, who: Who) -> Result<(), Problem> {
    let allowed = match who {
        Who::Public | Who::Callback | Who::SignedIn => true,
        Who::Patient => actor.role == Role::Patient,
        Who::Doctor => actor.role == Role::Doctor,
        Who::Staff(function) => actor.role == Role::Staff && accounts::has_function(app, actor, function).await?,
    };
    if allowed { Ok(()) } else { Err(Problem::forbidden()) }
}
