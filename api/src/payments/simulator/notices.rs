//! Notices of the simulated channel: sealed, signed at the moment of sending, sent again until they are taken.
//!
//! Each sending has a fresh timestamp, nonce and signature, as the real platform does it; only the notice's id stays.

use super::Simulator;
use crate::payments::wechat::{Envelope, Resource, RsaSigner, SignatureError, answer_text};
use http::{HeaderMap, HeaderValue};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Waits between sendings of a notice nobody took.
const RETRY_S: [u64; 6] = [15, 15, 30, 180, 600, 1_800];

#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub id: String,
    pub url: String,
    pub event_type: &'static str,
    pub original_type: &'static str,
    pub resource: Vec<u8>,
    pub attempt: usize,
}

/// A notice ready for the wire.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Simulator {
    pub(super) fn notify(&self, notice: Notice) {
        let faults = self.faults();
        if faults.lose_notices {
            return;
        }
        let mut queue = self.queue();
        for _ in 0..=faults.repeat_notices {
            if faults.reorder_notices { queue.push_front(notice.clone()) } else { queue.push_back(notice.clone()) }
        }
        drop(queue);
        self.work.notify_one();
    }

    /// Takes everything that waits to be sent, signed now: for tests that choose the order themselves.
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        let waiting: VecDeque<Notice> = std::mem::take(&mut *self.queue());
        waiting.iter().flat_map(|notice| self.deliveries_of(notice)).collect()
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
            let Some(notice) = next else {
                tokio::select! {
                    () = self.work.notified() => continue,
                    () = stop.cancelled() => return,
                }
            };
            let (sender, http, stop) = (self.clone(), http.clone(), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = sender.send(notice, &http) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }

    async fn send(&self, mut notice: Notice, http: &reqwest::Client) {
        tokio::time::sleep(Duration::from_millis(self.faults().delay_notices_ms)).await;
        loop {
            let mut taken = false;
            for delivery in self.deliveries_of(&notice) {
                let answer = http.post(&delivery.url).headers(delivery.headers).body(delivery.body).send().await;
                taken = answer.is_ok_and(|answer| answer.status().is_success());
            }
            let Some(wait_s) = RETRY_S.get(notice.attempt).filter(|_| !taken) else { return };
            notice.attempt += 1;
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
        let resource =
            Resource::seal(&self.api_v3, nonce, notice.original_type, &notice.resource).map_err(|_| SignatureError::CannotSign)?;
        let envelope = Envelope {
            id: notice.id.clone(),
            create_time: rfc3339(self.clock.now().0),
            event_type: notice.event_type.into(),
            resource_type: "encrypt-resource".into(),
            resource,
        };
        let body = serde_json::to_vec(&envelope).map_err(|_| SignatureError::CannotSign)?;
        let headers = self.sign_headers(signer, &body)?;
        Ok(Delivery { url: notice.url.clone(), headers, body })
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
