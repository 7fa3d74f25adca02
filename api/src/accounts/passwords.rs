//! Argon2id, off the async threads, a few at a time: each run takes tens of milliseconds and 19 MiB.
//!
//! The threads are our own: an allocator keeps what a thread has freed, so among the runtime's hundreds of blocking threads a storm of
//! sign-ins would hold gigabytes for good.

use crate::http::{Fields, Problem, codes};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{CustomizedPasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use chat::entropy::Entropy;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, mpsc};
use tokio::sync::oneshot;

const RUNS_MAX: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;
/// Verified when there is no account: the answer takes as long as for one that exists.
static NOBODY: LazyLock<Mutex<Option<String>>> = LazyLock::new(Default::default);

#[derive(Clone, Debug)]
pub struct Passwords {
    memory_kib: u32,
    /// Started by the first run; they end with the last clone.
    threads: Arc<OnceLock<mpsc::Sender<Job>>>,
}

impl Passwords {
    pub fn new(memory_kib: u32) -> Self {
        Self { memory_kib, threads: Arc::default() }
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
        let (done, made) = oneshot::channel();
        // Whoever asked may be gone.
        let job: Job = Box::new(move || drop(done.send(work())));
        self.threads.get_or_init(start_threads).send(job).map_err(|_| codes::UNAVAILABLE)?;
        made.await.map_err(|error| Problem::internal(&error))
    }

    fn hasher(&self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib.max(Params::MIN_M_COST), 2, 1, None).expect("the costs are within argon2's bounds");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

fn start_threads() -> mpsc::Sender<Job> {
    let (sender, receiver) = mpsc::channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..RUNS_MAX {
        let receiver = receiver.clone();
        std::thread::spawn(move || {
            loop {
                let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = job else { return };
                // Whoever waits for a run that panicked hears that it is gone; the thread goes on.
                let _ = std::panic::catch_unwind(AssertUnwindSafe(job));
            }
        });
    }
    sender
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Many at once take no more threads, and so no more memory, than a few.
    #[tokio::test]
    async fn a_storm_runs_on_a_few_threads_and_outlives_a_panic() {
        let passwords = Passwords::new(8);
        let broken: Result<(), Problem> = passwords.run(|| panic!("one run of many")).await;
        assert!(broken.is_err());
        let runs = (0..200).map(|_| passwords.run(|| std::thread::current().id()));
        let threads: HashSet<_> = futures_util::future::try_join_all(runs).await.unwrap().into_iter().collect();
        assert!((1..=RUNS_MAX).contains(&threads.len()), "{} threads", threads.len());
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(8);
        let stored = passwords.hash(&Entropy::seeded(1), "wenzhen-2026").await.unwrap();
        assert!(passwords.verify("wenzhen-2026", Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("wenzhen-2027", Some(stored)).await.unwrap());
        assert!(!passwords.verify("wenzhen-2026", None).await.unwrap());
    }
}
