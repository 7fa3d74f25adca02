//! The real client of WeChat Pay v3 (微信支付): signed requests, verified answers, typed outcomes.
//!
//! It never retries by itself and never decides anything: whoever calls it persists first, calls outside of any
//! transaction, and treats [`ChannelError::NoAnswer`] as a third outcome that only a query can resolve. In the demo and in
//! tests its base URL is the simulator's; nothing else differs.

use super::{
    ApiV3Key, RsaSigner, SignatureError, TrustedKeys, signing,
    types::{CloseRequest, Failure, PrepayAnswer, PrepayRequest, RefundAnswer, RefundRequest, Trade},
};
use chat::{clock::Clock, entropy::Entropy};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// Who we are to the channel.
#[derive(Clone, Debug)]
pub struct Merchant {
    pub mchid: String,
    pub appid: String,
    pub signer: RsaSigner,
    pub platform: TrustedKeys,
    pub api_v3_key: ApiV3Key,
}

#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Sent, perhaps done: ask again later.
    #[error("the payment channel did not answer")]
    NoAnswer(#[source] reqwest::Error),
    /// It is ill, or asks for patience: perhaps done as well.
    #[error("the payment channel is not available: {status}")]
    Unavailable { status: u16 },
    #[error("the payment channel's answer is not its own")]
    Unverified(#[source] SignatureError),
    #[error("the payment channel refused: {code}")]
    Refused { status: u16, code: String },
    #[error("the payment channel's answer cannot be read")]
    Unreadable,
    #[error("the request could not be signed")]
    Unsigned(#[source] SignatureError),
}

impl ChannelError {
    /// The channel's own word for a refusal; `None` means that nobody knows what happened there.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    merchant: Merchant,
    clock: Clock,
    entropy: Entropy,
}

const TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    /// `base_url` without a slash at the end, like `https://api.mch.weixin.qq.com`.
    pub fn new(base_url: &str, merchant: Merchant, clock: Clock, entropy: Entropy) -> Result<Self, reqwest::Error> {
        // The one provider of this process; whoever was first has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { http, base_url: base_url.trim_end_matches('/').to_owned(), merchant, clock, entropy })
    }

    pub fn merchant(&self) -> &Merchant {
        &self.merchant
    }

    /// With a payer the WeChat client is called up (JSAPI); without one the answer is a code to scan (native).
    pub async fn prepay(&self, request: &PrepayRequest) -> Result<PrepayAnswer, ChannelError> {
        let path = if request.payer.is_some() { "/v3/pay/transactions/jsapi" } else { "/v3/pay/transactions/native" };
        let answer: PrepayAnswer = self.post(path, request).await?;
        if answer.prepay_id.is_some() || answer.code_url.is_some() { Ok(answer) } else { Err(ChannelError::Unreadable) }
    }

    pub async fn query(&self, out_trade_no: &str) -> Result<Trade, ChannelError> {
        let mchid = &self.merchant.mchid;
        self.get(&format!("/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={mchid}")).await
    }

    pub async fn close(&self, out_trade_no: &str) -> Result<(), ChannelError> {
        let path = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}/close");
        self.send("POST", &path, &body_of(&CloseRequest { mchid: self.merchant.mchid.clone() })?).await?;
        Ok(())
    }

    /// The same `out_refund_no` is paid back once, however often this is called.
    pub async fn refund(&self, request: &RefundRequest) -> Result<RefundAnswer, ChannelError> {
        self.post("/v3/refund/domestic/refunds", request).await
    }

    pub async fn query_refund(&self, out_refund_no: &str) -> Result<RefundAnswer, ChannelError> {
        self.get(&format!("/v3/refund/domestic/refunds/{out_refund_no}")).await
    }

    /// What the page hands to the WeChat client to call up the payment.
    pub fn call_up(&self, prepay_id: &str) -> Result<CallUp, ChannelError> {
        let (timestamp_s, nonce_str) = (self.clock.now().0.div_euclid(1_000), self.nonce());
        let package = format!("prepay_id={prepay_id}");
        let pay_sign = signing::pay_sign(&self.merchant.signer, &self.merchant.appid, timestamp_s, &nonce_str, &package)
            .map_err(ChannelError::Unsigned)?;
        let app_id = self.merchant.appid.clone();
        Ok(CallUp { app_id, time_stamp: timestamp_s.to_string(), nonce_str, package, sign_type: "RSA".into(), pay_sign })
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ChannelError> {
        let answer = self.send("POST", path, &body_of(body)?).await?;
        serde_json::from_slice(&answer).map_err(|_| ChannelError::Unreadable)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ChannelError> {
        let answer = self.send("GET", path, b"").await?;
        serde_json::from_slice(&answer).map_err(|_| ChannelError::Unreadable)
    }

    async fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let url = format!("{}{path}", self.base_url);
        let now_s = self.clock.now().0.div_euclid(1_000);
        // What is signed is the path the other side sees, which includes a prefix of the base URL.
        let seen = url.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap_or_else(|| path.to_owned());
        let authorization =
            signing::authorization(&self.merchant.signer, &self.merchant.mchid, (method, &seen, body), now_s, &self.nonce())
                .map_err(ChannelError::Unsigned)?;
        let request = if method == "GET" { self.http.get(url) } else { self.http.post(url).body(body.to_vec()) };
        let answer = request
            .header("authorization", authorization)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .send()
            .await
            .map_err(ChannelError::NoAnswer)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.map_err(ChannelError::NoAnswer)?;
        if status.is_success() {
            signing::verify(&self.merchant.platform, &headers, &bytes, self.clock.now()).map_err(ChannelError::Unverified)?;
            return Ok(bytes.to_vec());
        }
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(ChannelError::Unavailable { status: status.as_u16() });
        }
        // A refusal may be unsigned (a gateway in between speaks too): it changes nothing, so its code is only a hint.
        let code = serde_json::from_slice::<Failure>(&bytes).map_or_else(|_| "UNREADABLE".to_owned(), |failure| failure.code);
        Err(ChannelError::Refused { status: status.as_u16(), code })
    }

    fn nonce(&self) -> String {
        self.entropy.bytes::<16>().iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

fn body_of(value: &impl Serialize) -> Result<Vec<u8>, ChannelError> {
    serde_json::to_vec(value).map_err(|_| ChannelError::Unreadable)
}

/// JSAPI parameters, in the names the WeChat client expects.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct CallUp {
    pub app_id: String,
    pub time_stamp: String,
    pub nonce_str: String,
    /// `prepay_id=…`
    pub package: String,
    pub sign_type: String,
    pub pay_sign: String,
}

impl std::fmt::Debug for CallUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallUp(***)")
    }
}
