//! Joining: who are you, do you know the secret, do we speak the same version. Refusals are typed and told to the other side.

use super::frames::{FrameError, Reader, Writer, split};
use super::protocol::{FromCoordinator, FromWorker, Hello, Refusal, VERSION};
use super::secret::{Secret, SecretError, Side, nonce};
use crate::report::data::SCHEMA;
use tokio::net::TcpStream;

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error("refused: {code} ({detail})")]
    Refused { code: Refusal, detail: String },
    #[error("the coordinator does not know the secret")]
    Impostor,
    #[error("something else than the protocol came")]
    Unexpected,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// One side of a joined connection.
#[derive(Debug)]
pub struct Joined {
    pub reader: Reader,
    pub writer: Writer,
    pub hello: Hello,
}

/// The coordinator's side.
pub async fn admit(stream: TcpStream, secret: &Secret) -> Result<Joined, JoinError> {
    let (mut reader, writer) = split(stream);
    let hello = match reader.next().await {
        Ok(FromWorker::Hello(hello)) => hello,
        Ok(_) => return refuse(&writer, Refusal::Protocol, "hello comes first".into()).await,
        Err(error @ FrameError::Malformed(_)) => return refuse(&writer, Refusal::Protocol, error.to_string()).await,
        Err(error) => return Err(error.into()),
    };
    if (hello.version, hello.schema) != (VERSION, SCHEMA) {
        let detail = format!("protocol {} and report {}, here {VERSION} and {SCHEMA}", hello.version, hello.schema);
        return refuse(&writer, Refusal::Version, detail).await;
    }
    let own = nonce()?;
    let proof = secret.proof(Side::Coordinator, &hello.nonce, &own);
    writer.send(&FromCoordinator::Challenge { nonce: own.clone(), proof }).await?;
    match reader.next().await? {
        FromWorker::Proof { proof } if secret.proves(Side::Worker, &hello.nonce, &own, &proof) => {
            reader.trust();
            Ok(Joined { reader, writer, hello })
        }
        FromWorker::Proof { .. } => refuse(&writer, Refusal::Secret, "the proof is wrong".into()).await,
        _ => refuse(&writer, Refusal::Protocol, "a proof comes now".into()).await,
    }
}

pub async fn refuse<T>(writer: &Writer, code: Refusal, detail: String) -> Result<T, JoinError> {
    writer.send(&FromCoordinator::Refused { code, detail: detail.clone() }).await?;
    Err(JoinError::Refused { code, detail })
}

/// The worker's side.
pub async fn join(stream: TcpStream, secret: &Secret, hello: Hello) -> Result<Joined, JoinError> {
    let (mut reader, writer) = split(stream);
    writer.send(&FromWorker::Hello(hello.clone())).await?;
    match reader.next().await? {
        FromCoordinator::Challenge { nonce, proof } => {
            let proof_of_worker = secret.proof(Side::Worker, &hello.nonce, &nonce);
            let known = secret.proves(Side::Coordinator, &hello.nonce, &nonce, &proof);
            // Said in any case, so that both sides learn that the secrets differ.
            writer.send(&FromWorker::Proof { proof: proof_of_worker }).await?;
            if !known {
                return match reader.next().await {
                    Ok(FromCoordinator::Refused { code, detail }) => Err(JoinError::Refused { code, detail }),
                    _ => Err(JoinError::Impostor),
                };
            }
            reader.trust();
            Ok(Joined { reader, writer, hello })
        }
        FromCoordinator::Refused { code, detail } => Err(JoinError::Refused { code, detail }),
        _ => Err(JoinError::Unexpected),
    }
}
