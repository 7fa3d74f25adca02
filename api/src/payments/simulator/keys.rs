//! The two key pairs and the APIv3 key of the simulated dialogue, made at first use and kept under the keys folder.
//!
//! They sign nothing but the demo's own conversation with itself; the real channel knows none of them.

use crate::payments::wechat::{ApiV3Key, KeyError};
use chat::entropy::Entropy;
use rand::{TryCryptoRng, TryRng};
use rsa::{
    RsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use std::{convert::Infallible, fmt, fs, io::Write, path::Path};

#[derive(Debug, thiserror::Error)]
pub enum SimulatorKeysError {
    #[error("the simulated payment channel's keys could not be read or written")]
    Io(#[from] std::io::Error),
    #[error("a key file of the simulated payment channel is damaged: {0}")]
    Damaged(&'static str),
    #[error("an RSA key could not be made")]
    Generate,
    #[error(transparent)]
    Key(#[from] KeyError),
}

pub struct SimulatorKeys {
    pub(super) merchant: RsaPrivateKey,
    pub(super) platform: RsaPrivateKey,
    pub(super) api_v3: ApiV3Key,
}

impl fmt::Debug for SimulatorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatorKeys(***)")
    }
}

impl SimulatorKeys {
    /// Takes a second or two the first time (two RSA keys), a few milliseconds after that. Blocking.
    pub fn load_or_create(dir: &Path, entropy: &Entropy) -> Result<Self, SimulatorKeysError> {
        fs::create_dir_all(dir)?;
        Ok(Self {
            merchant: rsa_key(&dir.join("merchant.pem"), entropy)?,
            platform: rsa_key(&dir.join("platform.pem"), entropy)?,
            api_v3: ApiV3Key::new(&symmetric_key(&dir.join("api_v3.key"), entropy)?)?,
        })
    }

    /// From PEM texts, for tests that cannot wait for new keys.
    pub fn from_pem(merchant: &str, platform: &str, api_v3: &[u8; 32]) -> Result<Self, SimulatorKeysError> {
        let read = |pem, name| RsaPrivateKey::from_pkcs8_pem(pem).map_err(|_| SimulatorKeysError::Damaged(name));
        Ok(Self { merchant: read(merchant, "merchant")?, platform: read(platform, "platform")?, api_v3: ApiV3Key::new(api_v3)? })
    }
}

fn rsa_key(path: &Path, entropy: &Entropy) -> Result<RsaPrivateKey, SimulatorKeysError> {
    if path.exists() {
        return RsaPrivateKey::from_pkcs8_pem(&fs::read_to_string(path)?).map_err(|_| SimulatorKeysError::Damaged("RSA key"));
    }
    let key = RsaPrivateKey::new(&mut Draw(entropy), 2048).map_err(|_| SimulatorKeysError::Generate)?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| SimulatorKeysError::Generate)?;
    write_private(path, pem.as_bytes())?;
    Ok(key)
}

fn symmetric_key(path: &Path, entropy: &Entropy) -> Result<Vec<u8>, SimulatorKeysError> {
    if path.exists() {
        return Ok(fs::read(path)?);
    }
    let key = entropy.bytes::<32>().to_vec();
    write_private(path, &key)?;
    Ok(key)
}

/// Written beside and renamed, so that a crash leaves either no key or a whole one.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

/// Lets a library that wants a generator draw from the one source of randomness.
struct Draw<'a>(&'a Entropy);

impl TryRng for Draw<'_> {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.bytes()))
    }
    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(buffer);
        Ok(())
    }
}

impl TryCryptoRng for Draw<'_> {}
