//! Which payment channel this process talks to: the real WeChat Pay, its simulator, or none. Chosen once, at start.

use super::{
    simulator::{Simulator, SimulatorKeys, SimulatorKeysError},
    wechat::{ApiV3Key, Client, KeyError, Merchant, RsaSigner, TrustedKeys},
};
use chat::{clock::Clock, entropy::Entropy, ids::UserId};
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// `[wechat_pay]`: the merchant's contract. Keys are files, so that they can lie where only the service reads them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatPayConfig {
    pub mchid: String,
    pub appid: String,
    /// Serial of the merchant certificate.
    pub serial: String,
    /// PKCS#8 PEM.
    pub private_key_file: PathBuf,
    /// `PUB_KEY_ID_…` or a platform certificate's serial.
    pub platform_key_id: String,
    /// PEM.
    pub platform_key_file: PathBuf,
    /// 32 bytes.
    pub api_v3_key_file: PathBuf,
    /// How the channel reaches us, like `https://wenzhen.example.org`.
    pub notify_base: String,
    #[serde(default = "production")]
    pub base_url: String,
}

fn production() -> String {
    "https://api.mch.weixin.qq.com".into()
}

#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error("reading {path}")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("a key of the payment channel")]
    Key(#[from] KeyError),
    #[error("the simulated payment channel")]
    Simulator(#[from] SimulatorKeysError),
    #[error("the simulated payment channel's port or journal")]
    Io(#[from] std::io::Error),
    #[error("the HTTP client")]
    Http(#[from] reqwest::Error),
}

#[derive(Debug)]
pub enum Gateway {
    /// Orders can be opened, not paid.
    None,
    Wechat(Box<Wechat>),
}

#[derive(Debug)]
pub struct Wechat {
    pub client: Client,
    /// Without a slash at the end.
    pub notify_base: String,
    /// The other side, when it is simulated.
    pub simulator: Option<Arc<Simulator>>,
}

impl Wechat {
    /// Who pays, to the channel. A real one needs the patient's WeChat sign-in, which this product does not have yet: without
    /// it the payment is a code to scan. The simulated channel takes any name.
    pub(super) fn openid_of(&self, patient: UserId) -> Option<String> {
        self.simulator.as_ref().map(|_| format!("simulated-{}", patient.0.simple()))
    }
}

/// Where the simulator keeps what is its own.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    pub data: &'a Path,
    pub keys: &'a Path,
}

/// The folder of the simulator's keys.
pub fn simulator_keys_dir(keys: &Path) -> PathBuf {
    keys.join("wechat-pay-simulator")
}

impl Gateway {
    /// The real channel of the configuration.
    pub fn open(config: &WechatPayConfig, clock: Clock, entropy: Entropy) -> Result<Self, GatewayError> {
        let merchant = Merchant {
            mchid: config.mchid.clone(),
            appid: config.appid.clone(),
            signer: RsaSigner::from_pem(&config.serial, &text(&config.private_key_file)?)?,
            platform: TrustedKeys::default().with_pem(&config.platform_key_id, &text(&config.platform_key_file)?)?,
            api_v3_key: ApiV3Key::new(text(&config.api_v3_key_file)?.trim().as_bytes())?,
        };
        tracing::info!(base_url = %config.base_url, "payments.wechat");
        let client = Client::new(&config.base_url, merchant, clock, entropy)?;
        Ok(Self::Wechat(Box::new(Wechat { client, notify_base: config.notify_base.trim_end_matches('/').to_owned(), simulator: None })))
    }

    /// The simulated channel on a loopback port of its own; `us` is where its notices go. Runs until `stop`.
    pub async fn simulate(
        folders: Folders<'_>,
        us: SocketAddr,
        clock: Clock,
        entropy: Entropy,
        stop: CancellationToken,
    ) -> Result<Self, GatewayError> {
        let (dir, draw) = (simulator_keys_dir(folders.keys), entropy.clone());
        let keys = tokio::task::spawn_blocking(move || SimulatorKeys::load_or_create(&dir, &draw));
        let keys = keys.await.map_err(|_| SimulatorKeysError::Generate)??;
        let simulator = Simulator::open(keys, &folders.data.join("wechat-pay-simulator.jsonl"), clock.clone(), entropy.clone())?;
        let address = simulator.listen(stop).await?;
        tracing::info!(%address, "payments.simulated");
        let client = Client::new(&format!("http://{address}"), simulator.merchant(), clock, entropy)?;
        let host = if us.ip().is_unspecified() { "127.0.0.1".to_owned() } else { us.ip().to_string() };
        let notify_base = format!("http://{host}:{}", us.port());
        Ok(Self::Wechat(Box::new(Wechat { client, notify_base, simulator: Some(simulator) })))
    }

    pub fn simulator(&self) -> Option<&Arc<Simulator>> {
        match self {
            Self::Wechat(wechat) => wechat.simulator.as_ref(),
            Self::None => None,
        }
    }
}

fn text(path: &Path) -> Result<String, GatewayError> {
    std::fs::read_to_string(path).map_err(|source| GatewayError::File { path: path.display().to_string(), source })
}
