//! A consultation as it stands in SQL: fixed terms, state, sealed texts. The only place that maps columns to the machine.

use super::{
    intake::{Intake, Proof},
    machine::{State, Terms},
    rules::{Channel, Kind, Rules},
};
use crate::{
    db::{DbError, FromRow, Row},
    doctors::DoctorId,
    http::Problem,
    keys::{KeyError, Keys, Place, Unsealable},
};
use chat::{
    entropy::Entropy,
    ids::{ConversationId, TenantId, Timestamp, UserId},
};

chat::define_id! {
    /// 问诊订单. Its talk is the conversation, its money the order: each has an id of its own.
    ConsultationId;
}
crate::id_columns!(ConsultationId);

#[derive(Clone)]
pub struct Consultation {
    pub id: ConsultationId,
    pub tenant: TenantId,
    pub parent: Option<ConsultationId>,
    pub patient: UserId,
    pub doctor: DoctorId,
    pub doctor_user: UserId,
    pub conversation: ConversationId,
    pub kind: Kind,
    pub channel: Channel,
    pub state: State,
    pub version: i64,
    pub price_fen: i64,
    pub meets_conditions: Option<bool>,
    pub created_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    pub accepted_at: Option<Timestamp>,
    pub sealed: Sealed,
}

/// Clinical texts, readable with the patient's key only.
#[derive(Clone)]
pub struct Sealed {
    pub intake: Vec<u8>,
    pub proof: Option<Vec<u8>>,
    pub reason: Option<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    #[error("the patient's key")]
    Key(#[from] KeyError),
    #[error("a clinical text")]
    Unsealable(#[from] Unsealable),
    #[error("a clinical text is not what was written")]
    Json(#[from] serde_json::Error),
}

impl From<SealedError> for Problem {
    fn from(error: SealedError) -> Self {
        Self::internal(&error)
    }
}

impl std::fmt::Debug for Consultation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consultation({} {} v{})", self.id, self.state.word(), self.version)
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(***)")
    }
}

impl FromRow for Consultation {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let state: String = row.get("state_data")?;
        Ok(Self {
            id: row.get("id")?,
            tenant: row.get("tenant_id")?,
            parent: row.get("parent_id")?,
            patient: row.get("patient_id")?,
            doctor: row.get("doctor_id")?,
            doctor_user: row.get("doctor_user_id")?,
            conversation: row.get("conversation_id")?,
            kind: row.get("kind")?,
            channel: row.get("channel")?,
            state: serde_json::from_str(&state)?,
            version: row.get("version")?,
            price_fen: row.get("price_fen")?,
            meets_conditions: row.get("meets_conditions")?,
            created_at: row.get("created_at")?,
            paid_at: row.get("paid_at")?,
            accepted_at: row.get("accepted_at")?,
            sealed: Sealed { intake: row.get("intake_sealed")?, proof: row.get("proof_sealed")?, reason: row.get("reason_sealed")? },
        })
    }
}

impl Consultation {
    pub fn terms<'a>(&self, rules: &'a Rules) -> Terms<'a> {
        Terms { kind: self.kind, channel: self.channel, has_proof: self.sealed.proof.is_some(), rules }
    }

    /// A follow-up costs nothing and has no order of its own.
    pub fn is_free(&self) -> bool {
        self.price_fen == 0
    }

    pub async fn intake(&self, keys: &Keys) -> Result<Intake, SealedError> {
        let plain = keys.person(self.patient).await?.open(place(self.id, "intake"), &self.sealed.intake)?;
        Ok(serde_json::from_slice(&plain)?)
    }

    pub async fn proof(&self, keys: &Keys) -> Result<Option<Proof>, SealedError> {
        let Some(sealed) = &self.sealed.proof else { return Ok(None) };
        let plain = keys.person(self.patient).await?.open(place(self.id, "proof"), sealed)?;
        Ok(Some(serde_json::from_slice(&plain)?))
    }

    /// Why it was rejected or terminated, in the doctor's words.
    pub async fn reason(&self, keys: &Keys) -> Result<Option<String>, SealedError> {
        let Some(sealed) = &self.sealed.reason else { return Ok(None) };
        Ok(Some(keys.person(self.patient).await?.open_text(place(self.id, "reason"), sealed)?))
    }

    pub async fn seal_reason(&mut self, keys: &Keys, entropy: &Entropy, reason: &str) -> Result<(), SealedError> {
        let key = keys.person(self.patient).await?;
        self.sealed.reason = Some(key.seal(entropy, place(self.id, "reason"), reason.trim().as_bytes()));
        Ok(())
    }
}

pub async fn seal_texts(
    keys: &Keys,
    entropy: &Entropy,
    (patient, id): (UserId, ConsultationId),
    intake: &Intake,
    proof: Option<&Proof>,
) -> Result<Sealed, SealedError> {
    let key = keys.person(patient).await?;
    let intake = key.seal(entropy, place(id, "intake"), &serde_json::to_vec(intake)?);
    let proof = match proof {
        Some(proof) => Some(key.seal(entropy, place(id, "proof"), &serde_json::to_vec(proof)?)),
        None => None,
    };
    Ok(Sealed { intake, proof, reason: None })
}

fn place(id: ConsultationId, column: &'static str) -> Place {
    Place { table: "consultations", column, row: id.0 }
}
