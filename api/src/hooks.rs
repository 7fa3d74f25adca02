//! What the business says to the conversation and call crates while a message or call is under way.
//!
//! Hub and calls are part of the app, so their hooks find the app later: through [`LateApp`], which holds it weakly.

use crate::{
    consultations,
    state::{App, LateApp},
    uploads,
};
use chat::{
    connection::{AttachmentCheck, AttachmentClaim, AttachmentFacts},
    errors::Code,
};
use futures_util::future::BoxFuture;
use signaling::gate::{CallGate, CallRequest};
use std::{future::Future, pin::Pin, sync::Arc};

pub(crate) type Check = fn(App, AttachmentClaim) -> BoxFuture<'static, Result<AttachmentFacts, Code>>;
pub(crate) type Permit = fn(App, CallRequest) -> BoxFuture<'static, Result<(), Code>>;

/// Whose attachment it is and what it measures: the slice that keeps uploads. Without it no attachment exists.
const CHECK_ATTACHMENT: Option<Check> = Some(uploads::check_attachment);
/// Every one of them must permit a call (consents, the bought channel).
const PERMIT_CALL: &[Permit] = &[|app, request| Box::pin(consultations::permit_call(app, request))];

pub(crate) fn attachment_check(late: LateApp) -> AttachmentCheck {
    Arc::new(move |claim| {
        let app = late.get();
        Box::pin(async move {
            match (CHECK_ATTACHMENT, app) {
                (Some(check), Some(app)) => check(app, claim).await,
                _ => Err(Code::UnknownAttachment),
            }
        })
    })
}

pub(crate) struct Gate(pub LateApp);

impl CallGate for Gate {
    fn permit(&self, request: CallRequest) -> Pin<Box<dyn Future<Output = Result<(), Code>> + Send + '_>> {
        let app = self.0.get();
        Box::pin(async move {
            let app = app.ok_or(Code::Unavailable)?;
            for permit in PERMIT_CALL {
                permit(app.clone(), request).await?;
            }
            Ok(())
        })
    }
}
