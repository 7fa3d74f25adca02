//! Argon2id, off the async threads, a few at a time: each run takes tens of milliseconds and 19 MiB.

use crate::http::{Fields, Problem, codes};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{CustomizedPasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use chat::entropy::Entropy;
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

const RUNS_MAX: usize = 4;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;
/// Verified when there is no account: the answer takes as long as for one that exists.
static NOBODY: LazyLock<std::sync::Mutex<Option<String>>> = LazyLock::new(Default::default);

#[derive(Clone, Debug)]
pub struct Passwords {
    memory_kib: u32,
    permits: Arc<Semaphore>,
}

impl Passwords {
    pub fn new(memory_kib: u32) -> Self {
        Self { memory_kib, permits: Arc::new(Semaphore::new(RUNS_MAX)) }
    }

    /// Long enough, and not what attackers try first.
    pub fn check_new(&self, password: &str, path: &'static str) -> Result<(), Problem> {
        let mut fields = Fields::default();
        fields.length(password, PASSWORD_CHARS, path);
        let kinds = [char::is_alphabetic as fn(char) -> bool, |c| c.is_ascii_digit(), |c| !c.is_alphanumeric()];
        let mixed = kinds.iter().filter(|kind| password.chars().any(**kind)).count() >= 2;
        fields.check(mixed, path, "too_simple", "请混合使用字母、数字或符号");
        fields.finish()
    }

    pub async fn hash(&self, entropy: &Entropy, password: &str) -> Result<String, Problem> {
        let (salt, password, hasher) = (entropy.bytes::<16>(), password.to_owned(), self.hasher());
        self.run(move || hash(&hasher, &password, &salt)).await
    }

    /// Whether it fits. With no hash the same work is done for nothing.
    pub async fn verify(&self, password: &str, stored: Option<String>) -> Result<bool, Problem> {
        let (password, hasher) = (password.to_owned(), self.hasher());
        self.run(move || {
            let known = stored.is_some();
            let text = stored.unwrap_or_else(|| nobody(&hasher));
            let fits = PasswordHash::new(&text).is_ok_and(|hash| hasher.verify_password(password.as_bytes(), &hash).is_ok());
            known && fits
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let _permit = self.permits.acquire().await.map_err(|_| codes::UNAVAILABLE)?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
    }

    fn hasher(&self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib.max(Params::MIN_M_COST), 2, 1, None).expect("the costs are within argon2's bounds");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

fn hash(hasher: &Argon2<'_>, password: &str, salt: &[u8]) -> String {
    let params = hasher.params().clone();
    hasher
        .hash_password_customized(password.as_bytes(), salt, None, None, params)
        .expect("a salt of 16 bytes and checked parameters")
        .to_string()
}

fn nobody(hasher: &Argon2<'_>) -> String {
    let mut kept = NOBODY.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    kept.get_or_insert_with(|| hash(hasher, "nobody", &[0; 16])).clone()
}
