//! Notices of the simulated channel: sealed, signed at the moment of sending, sent again until they are taken, also by the next life.
//!
//! Each sending has a fresh timestamp, nonce and signature, as the real platform does it; only the notice's id stays.

use super::{
    Simulator,
    book::{Change, Notice},
};
use crate::payments::wechat::{Envelope, Resource, RsaSigner, SignatureError, answer_text};
use http::{HeaderMap, HeaderValue};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Waits between sendings of a notice nobody took.
const RETRY_S: [u64; 6] = [15, 15, 30, 180, 600, 1_800];

/// A notice on its way, and how often it was sent in vain.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    notice: Notice,
    attempt: usize,
}

impl From<Notice> for Waiting {
    fn from(notice: Notice) -> Self {
        Self { notice, attempt: 0 }
    }
}

/// A notice ready for the wire.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id, the same for each sending.
    pub notice: String,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Simulator {
    pub(super) fn notify(&self, notice: Option<Notice>) {
        let Some(waiting) = notice.map(Waiting::from) else { return };
        let faults = self.faults();
        let mut queue = self.queue();
        for _ in 0..=faults.repeat_notices {
            if faults.reorder_notices { queue.push_front(waiting.clone()) } else { queue.push_back(waiting.clone()) }
        }
        drop(queue);
        self.work.notify_one();
    }

    /// Takes everything that waits to be sent, signed now: for tests that choose the order themselves. Until somebody says that it
    /// was taken, the next life sends it again.
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        let queue: VecDeque<Waiting> = std::mem::take(&mut *self.queue());
        queue.iter().flat_map(|waiting| self.deliveries_of(&waiting.notice)).collect()
    }

    /// The merchant has it. What could not be written down is sent once more after a restart, which he has to bear anyway.
    pub fn note_taken(&self, notice: &str) {
        if self.change(|_, _| Ok((vec![Change::Taken(notice.to_owned())], ()))).is_err() {
            tracing::warn!("payments.simulator.not_noted");
        }
    }

    /// Sends notices until cancelled. Only the demo runs this; tests take the deliveries.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = match reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build() {
            Ok(http) => http,
            Err(error) => return tracing::error!(%error, "payments.simulator.no_http_client"),
        };
        loop {
            let next = self.queue().pop_front();
            let Some(waiting) = next else {
                tokio::select! {
                    () = self.work.notified() => continue,
                    () = stop.cancelled() => return,
                }
            };
            let (sender, http, stop) = (self.clone(), http.clone(), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = sender.send(waiting, &http) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }

    async fn send(&self, mut waiting: Waiting, http: &reqwest::Client) {
        tokio::time::sleep(Duration::from_millis(self.faults().delay_notices_ms)).await;
        loop {
            let mut taken = false;
            for delivery in self.deliveries_of(&waiting.notice) {
                let answer = http.post(&delivery.url).headers(delivery.headers).body(delivery.body).send().await;
                taken = answer.is_ok_and(|answer| answer.status().is_success());
            }
            if taken {
                return self.note_taken(&waiting.notice.id);
            }
            let Some(wait_s) = RETRY_S.get(waiting.attempt) else { return };
            waiting.attempt += 1;
            tokio::time::sleep(Duration::from_secs(*wait_s)).await;
        }
    }

    /// The notice itself, after a stranger's copy if that fault is on.
    fn deliveries_of(&self, notice: &Notice) -> Vec<Delivery> {
        let mut signers = vec![&self.platform];
        if self.faults().forge_notices {
            // A stranger has no platform key; he signs with the only other one there is and claims the platform's serial.
            signers.insert(0, &self.stranger);
        }
        signers.into_iter().filter_map(|signer| self.delivery(notice, signer).ok()).collect()
    }

    fn delivery(&self, notice: &Notice, signer: &RsaSigner) -> Result<Delivery, SignatureError> {
        let nonce = self.letters::<12>();
        let resource = Resource::seal(&self.api_v3, nonce, &notice.original_type, notice.resource.as_bytes())
            .map_err(|_| SignatureError::CannotSign)?;
        let envelope = Envelope {
            id: notice.id.clone(),
            create_time: rfc3339(self.clock.now().0),
            event_type: notice.event_type.clone(),
            resource_type: "encrypt-resource".into(),
            resource,
        };
        let body = serde_json::to_vec(&envelope).map_err(|_| SignatureError::CannotSign)?;
        let headers = self.sign_headers(signer, &body)?;
        Ok(Delivery { notice: notice.id.clone(), url: notice.url.clone(), headers, body })
    }

    /// The four headers that make a text the platform's.
    pub(super) fn sign_headers(&self, signer: &RsaSigner, body: &[u8]) -> Result<HeaderMap, SignatureError> {
        let timestamp = self.clock.now().0.div_euclid(1_000).to_string();
        let nonce = String::from_utf8_lossy(&self.letters::<32>()).into_owned();
        let signature = signer.sign(&answer_text(&timestamp, &nonce, body))?;
        let mut headers = HeaderMap::new();
        let values = [("timestamp", timestamp), ("nonce", nonce), ("serial", self.platform.serial().to_owned()), ("signature", signature)];
        for (name, value) in values {
            let name = http::HeaderName::try_from(format!("wechatpay-{name}")).map_err(|_| SignatureError::CannotSign)?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| SignatureError::CannotSign)?);
        }
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        Ok(headers)
    }

    pub(super) fn letters<const N: usize>(&self) -> [u8; N] {
        const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        self.entropy.bytes::<N>().map(|byte| LETTERS[usize::from(byte % 32)])
    }
}

/// The channel's clock text, in Beijing time like the real one.
pub(super) fn rfc3339(at_ms: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1_000)).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let beijing = at.to_offset(time::macros::offset!(+8));
    beijing.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
