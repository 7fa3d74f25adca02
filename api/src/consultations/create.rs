//! `POST /api/consultations`: the patient describes his case, agrees to the notices and orders at the price he was shown.

use super::{
    intake::{Flaw, Intake, Proof},
    machine::State as Stage,
    neighbours,
    notice::{self, Consent, Given},
    queries,
    rules::{Channel, Kind},
    stored::{self, Consultation, ConsultationId},
    transition,
    trouble::{Trouble, words},
    view::{self, View},
};
use crate::{
    authz::Actor,
    db::Tx,
    doctors::{self, DoctorId},
    http::{Field, Json, Keyed, Problem, ProblemBody, codes},
    idempotency,
    state::App,
    uploads::{self, Taken},
};
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

const SCOPE: &str = "consultations.create";

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConsultation {
    /// `DoctorCard.id`, not `user_id`.
    doctor_id: Uuid,
    kind: Kind,
    channel: Channel,
    intake: Intake,
    /// Return visits only, and then required (REG-03).
    proof: Option<Proof>,
    /// `scope_notice` and `informed_consent`, as `GET /api/notices` gave them.
    consents: Vec<Consent>,
    /// The price that was shown; when it has changed meanwhile, nothing is ordered.
    price_fen: Option<i64>,
    /// The patient has read the emergency warning and still wants an online consultation.
    #[serde(default)]
    red_flag_acknowledged: bool,
}

impl std::fmt::Debug for NewConsultation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewConsultation(***)")
    }
}

/// Orders a consultation: intake, consents, doctor, kind, channel.
///
/// It is `created` and waits for payment of its `order` until `pay_deadline_at`; the conversation begins after that.
///
/// In a `consent_required` or `consent_outdated` the `detail` is the kind of the notice that is lacking (`scope_notice`, `informed_consent`);
/// in a `red_flag` it is the words found, joined by `、`: show the warning, then repeat with `red_flag_acknowledged`.
/// A used, unknown or foreign attachment is `invalid_field` with the field code `unknown_attachment`.
#[utoipa::path(
    post, path = "/api/consultations", tag = "consultations", request_body = NewConsultation,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 128 visible ASCII characters, the client's own, best a UUID. Repeats of a \
        submit have one effect, and the consultation is answered as it stands then; another body under the same key is `idempotency_conflict`. A refused \
        submit does not use the key up. Keys belong to the person who sends them and are kept for a day at least.")),
    responses(
        (status = 201, body = View),
        (status = 404, body = ProblemBody, description = "`not_found`: no such doctor"),
        (status = 409, body = ProblemBody, description = "`doctor_not_accepting`, `not_offered`, `own_consultation`, `price_changed`, \
            `consent_required`, `consent_outdated`, `red_flag`, `idempotency_conflict`"),
        (status = 422, body = ProblemBody, description = "`invalid_field`, `proof_missing`")
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    request: Keyed<NewConsultation>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let now = app.clock.now();
    let body = &request.body;
    if let Some(id) = idempotency::find::<_, ConsultationId>(&app, &actor, SCOPE, &request).await? {
        return answer(&app, &actor, id).await;
    }
    check(&app, body)?;
    let consents = notice::check(&notice::required(body.kind), &neighbours::notices_in_force(), &body.consents, actor.user, now)?;
    let offer = offer(&app, &actor, body).await?;
    let id: ConsultationId = app.entropy.id(now);
    let mut tx = app.db.begin().await?;
    // The answer kept for a repeat is which consultation it was; it is shown as it stands then.
    if let Some(id) = idempotency::begin::<_, ConsultationId>(&app, &mut tx, &actor, SCOPE, &request).await? {
        tx.rollback().await?;
        return answer(&app, &actor, id).await;
    }
    let it = Consultation {
        id,
        tenant: actor.tenant,
        parent: None,
        patient: actor.user,
        doctor: offer.doctor,
        doctor_user: offer.user,
        conversation: app.entropy.id(now),
        kind: body.kind,
        channel: body.channel,
        state: Stage::created(&app.config.consultations, now),
        version: 1,
        price_fen: offer.price_fen,
        meets_conditions: None,
        created_at: now,
        paid_at: None,
        accepted_at: None,
        sealed: stored::seal_texts(&app.keys, &app.entropy, (actor.user, id), &body.intake, body.proof.as_ref()).await?,
    };
    enter(&app, &mut tx, &it, &consents).await?;
    take_attachments(&app, &mut tx, &it, body).await?;
    neighbours::open_order(&app, &mut tx, &it, &offer.subject).await?;
    idempotency::finish(&app, &mut tx, &actor, SCOPE, &request, &id).await?;
    app.commit(tx).await?;
    answer(&app, &actor, id).await
}

/// Pictures of intake and proof become part of the consultation, readable by its doctor (CON-13). The transaction ends on a refusal.
async fn take_attachments(app: &App, tx: &mut Tx, it: &Consultation, body: &NewConsultation) -> Result<(), Problem> {
    let taken = Taken { consultation: it.id.0, conversation: it.conversation, uploader: it.patient, reader: it.doctor_user };
    let proof = body.proof.as_ref().map_or(&[][..], |proof| &proof.attachments);
    for (path, ids) in [("intake.attachments", &body.intake.attachments[..]), ("proof.attachments", proof)] {
        if let Some(place) = uploads::take_for_consultation(app, tx, taken, ids).await? {
            refuse(vec![Flaw::new(format!("{path}[{place}]"), "unknown_attachment", "图片不存在或已使用，请重新上传")])?;
        }
    }
    Ok(())
}

/// Row, consents, history, timer and outbox message of a consultation that begins.
pub(super) async fn enter(app: &App, tx: &mut Tx, it: &Consultation, consents: &[Given]) -> Result<(), Trouble> {
    queries::insert(tx, it).await?;
    for given in consents {
        queries::add_consent(tx, it.id, given).await?;
    }
    queries::add_history(tx, it, ("create", None), Some(it.patient), None, it.created_at).await?;
    transition::follow_up(app, tx, it).await
}

async fn answer(app: &App, actor: &Actor, id: ConsultationId) -> Result<(StatusCode, Json<View>), Problem> {
    let it = queries::get(&app.db, actor, id).await?.ok_or_else(Problem::not_found)?;
    Ok((StatusCode::CREATED, Json(view::show(app, actor, &it).await?)))
}

fn check(app: &App, body: &NewConsultation) -> Result<(), Problem> {
    let mut flaws = body.intake.flaws();
    match (body.kind, &body.proof) {
        // REG-03: a return visit is not even ordered without proof.
        (Kind::ReturnVisit, None) => return Err(words::PROOF_MISSING.into()),
        (Kind::ReturnVisit, Some(proof)) => flaws.extend(proof.flaws(app.clock.now())),
        (Kind::Advice, Some(_)) => flaws.push(Flaw::new("proof", "not_for_this_kind", "健康咨询没有此项")),
        (Kind::Advice, None) => {}
    }
    refuse(flaws)?;
    let red_flags = body.intake.red_flags();
    if !red_flags.is_empty() && !body.red_flag_acknowledged {
        return Err(Problem::new(words::RED_FLAG).detail(red_flags.join("、")));
    }
    Ok(())
}

pub(crate) fn refuse(flaws: Vec<Flaw>) -> Result<(), Problem> {
    if flaws.is_empty() {
        return Ok(());
    }
    let fields = flaws.into_iter().map(|flaw| Field { path: flaw.path, code: flaw.code, message: flaw.message.into() }).collect();
    Err(Problem { fields, ..Problem::new(codes::INVALID_FIELDS) })
}

struct Offered {
    doctor: DoctorId,
    user: chat::ids::UserId,
    price_fen: i64,
    /// What the order and the payment page call it.
    subject: String,
}

/// The doctor takes patients of this kind over this channel, at this price, now.
async fn offer(app: &App, actor: &Actor, body: &NewConsultation) -> Result<Offered, Problem> {
    let offer = doctors::find_offer(app, DoctorId(body.doctor_id), body.kind, body.channel).await?.ok_or_else(Problem::not_found)?;
    if offer.user == actor.user {
        return Err(words::OWN_CONSULTATION.into());
    }
    if !offer.accepting || !offer.certified {
        return Err(words::NOT_ACCEPTING.into());
    }
    let price_fen = offer.price_fen.ok_or(words::NOT_OFFERED)?;
    // CON-07: voice and video only inside the doctor's service time.
    if body.channel != Channel::Text && !offer.open {
        return Err(Problem::new(words::NOT_ACCEPTING).detail("不在医生的出诊时间内"));
    }
    if body.price_fen.is_some_and(|shown| shown != price_fen) {
        return Err(words::PRICE_CHANGED.into());
    }
    let subject = format!("{}（{}）{}", kind_label(body.kind), channel_label(body.channel), offer.name);
    Ok(Offered { doctor: offer.doctor, user: offer.user, price_fen, subject })
}

pub(crate) fn kind_label(kind: Kind) -> &'static str {
    match kind {
        Kind::Advice => "健康咨询",
        Kind::ReturnVisit => "复诊",
    }
}

pub(crate) fn channel_label(channel: Channel) -> &'static str {
    match channel {
        Channel::Text => "图文",
        Channel::Voice => "语音",
        Channel::Video => "视频",
    }
}
