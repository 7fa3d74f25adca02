//! What the people of this scenario put on the wire: whole files, halves of files, and files that are none.

use crate::connect::{Answer, Http, Target};
use bytes::Bytes;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

const BOUNDARY: &str = "loadtest-7d1f0c5e";

/// The server's answer, the fields we compare.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Stored {
    pub id: String,
    pub mime: String,
    pub bytes: u64,
    #[serde(default)]
    pub width_px: u32,
    #[serde(default)]
    pub height_px: u32,
    #[serde(default)]
    pub duration_ms: u32,
}

/// A form of the two parts `kind` and `file`.
pub(super) fn form(kind: &str, mime: &str, file: &[u8]) -> Bytes {
    let mut form = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"kind\"\r\n\r\n{kind}\r\n--{BOUNDARY}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"upload\"\r\ncontent-type: {mime}\r\n\r\n"
    )
    .into_bytes();
    form.extend(file);
    form.extend(format!("\r\n--{BOUNDARY}--\r\n").into_bytes());
    form.into()
}

fn content_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

pub(super) async fn send(http: &Http, target: &Target, token: &str, form: Bytes) -> Result<Answer, String> {
    let request = http.request(reqwest::Method::POST, target, "/api/uploads", Some(token));
    Http::answer(request.header("content-type", content_type()).body(form)).await
}

/// Promises the whole form, sends half and is gone: a phone that lost its network.
pub(super) async fn abort(target: &Target, token: &str, form: &[u8]) -> std::io::Result<()> {
    let mut stream = tokio::net::TcpStream::connect(target.address).await?;
    let head = format!(
        "POST /api/uploads HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        target.authority,
        content_type(),
        form.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&form[..form.len() / 2]).await
}
