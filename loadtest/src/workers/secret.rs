//! The run's secret: both sides prove that they know it without sending it, each over both nonces, so that neither a stranger
//! gets people's tokens nor a recorded proof is worth anything. HMAC-SHA256 (RFC 2104).

use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

/// Where a worker finds it without a file.
pub const SECRET_VARIABLE: &str = "LOADTEST_SECRET";
const BYTES_MIN: usize = 16;
const BLOCK_BYTES: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("no secret: name a file with --secret or set {SECRET_VARIABLE}")]
    None,
    #[error("a secret of less than {BYTES_MIN} characters can be guessed; make one with `openssl rand -hex 32`")]
    Short,
    #[error("reading {what}")]
    Read { what: String, source: std::io::Error },
}

#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Who proves: a proof of one side is none for the other.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    Coordinator,
    Worker,
}

impl Secret {
    /// From the file, else from the variable.
    pub fn find(file: Option<&Path>) -> Result<Self, SecretError> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path).map_err(|source| SecretError::Read { what: path.display().to_string(), source })?,
            None => std::env::var(SECRET_VARIABLE).map_err(|_| SecretError::None)?,
        };
        Self::new(&text)
    }

    pub fn new(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.len() < BYTES_MIN { Err(SecretError::Short) } else { Ok(Self(text.as_bytes().to_vec())) }
    }

    /// For workers that this process starts itself.
    pub fn fresh() -> Result<Self, SecretError> {
        Ok(Self(nonce()?.into_bytes()))
    }

    /// What a child gets in its environment.
    pub(super) fn expose(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    pub(super) fn proof(&self, side: Side, worker_nonce: &str, coordinator_nonce: &str) -> String {
        let label = match side {
            Side::Coordinator => "coordinator",
            Side::Worker => "worker",
        };
        // Nonces are hexadecimal, so the separator cannot be part of one.
        hex(&hmac(&self.0, format!("loadtest {label}|{worker_nonce}|{coordinator_nonce}").as_bytes()))
    }

    pub(super) fn proves(&self, side: Side, worker_nonce: &str, coordinator_nonce: &str, shown: &str) -> bool {
        same(self.proof(side, worker_nonce, coordinator_nonce).as_bytes(), shown.as_bytes())
    }
}

/// 32 bytes that nobody can foresee, in hexadecimal. From the kernel: what comes from the run's seed could be foreseen.
pub(super) fn nonce() -> Result<String, SecretError> {
    let mut bytes = [0; 32];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|source| SecretError::Read { what: "/dev/urandom".into(), source })?;
    Ok(hex(&bytes))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

/// Takes the same time wherever they differ.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |differ, (left, right)| differ | (left ^ right)) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_the_one_of_rfc_4231() {
        let short = hmac(&[0x0b; 20], b"Hi There");
        assert_eq!(hex(&short), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        let long = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(&long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_proof_is_of_one_side_one_secret_and_one_pair_of_nonces() {
        let (secret, other) = (Secret::new("correct horse battery").unwrap(), Secret::new("incorrect horse battery").unwrap());
        let proof = secret.proof(Side::Worker, "aa", "bb");
        assert!(secret.proves(Side::Worker, "aa", "bb", &proof));
        assert!(!secret.proves(Side::Coordinator, "aa", "bb", &proof));
        assert!(!secret.proves(Side::Worker, "aa", "cc", &proof) && !secret.proves(Side::Worker, "cc", "bb", &proof));
        assert!(!other.proves(Side::Worker, "aa", "bb", &proof) && !secret.proves(Side::Worker, "aa", "bb", ""));
    }

    #[test]
    fn a_secret_is_long_enough_and_never_shown() {
        assert!(matches!(Secret::new("short\n"), Err(SecretError::Short)));
        assert_eq!(format!("{:?}", Secret::fresh().unwrap()), "Secret(***)");
        assert_ne!(nonce().unwrap(), nonce().unwrap());
        assert!(matches!(Secret::find(Some(Path::new("/nowhere"))), Err(SecretError::Read { .. })));
    }
}
