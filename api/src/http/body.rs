//! Bodies: how much of a request's is read whatever becomes of the request, and what the document calls a binary answer.
//!
//! A refusal that leaves a body unread makes hyper close a connection on which the client is still writing. The kernel then answers the rest with a
//! reset, and the client never sees the refusal. So a small body is read before anybody decides, and what is left of a large one is read and
//! dropped, within bounds, while the answer goes out.

use super::{Problem, codes};
use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody, to_bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use utoipa::ToSchema;

const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;
/// The largest form and half of it again: whoever sends what could have been right hears why it was not.
const LEFT_BYTES_MAX: usize = 16 * 1024 * 1024;
const LEFT_READ_MAX: Duration = Duration::from_secs(30);

/// A file in an answer.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code)] // only the document reads it
pub(crate) struct Binary(Vec<u8>);

/// Right inside the layers that render: reads a small body, and sees to what is left of a large one.
pub(crate) async fn take_body(request: Request, next: Next) -> Response {
    let bytes = request.body().size_hint().exact();
    if bytes == Some(0) {
        return next.run(request).await;
    }
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    if bytes.is_none_or(|bytes| bytes > SMALL_BODY_BYTES_MAX as u64) {
        let left = Left { body: Some(body.into_data_stream()), begun: false, asks_first };
        return next.run(Request::from_parts(parts, Body::from_stream(left))).await;
    }
    match to_bytes(body, SMALL_BODY_BYTES_MAX).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(_) => Problem::new(codes::INVALID_REQUEST).into_response(),
    }
}

/// Refuses by what `Content-Length` says, so that a client that asks first (`Expect: 100-continue`) sends nothing for nothing.
pub(crate) fn refuse_declared(headers: &HeaderMap, bytes_max: usize) -> Result<(), Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|bytes| bytes > bytes_max as u64) { Err(codes::TOO_LARGE.into()) } else { Ok(()) }
}

/// A body that is read to its end even when its reader gives up.
struct Left {
    body: Option<BodyDataStream>,
    begun: bool,
    asks_first: bool,
}

impl Stream for Left {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.begun = true;
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let polled = body.poll_next_unpin(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        // Who asks first has not begun to write: reading would tell him to.
        if self.asks_first && !self.begun {
            return;
        }
        if let (Some(body), Ok(runtime)) = (self.body.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { tokio::time::timeout(LEFT_READ_MAX, drop_left(body)).await });
        }
    }
}

async fn drop_left(mut body: BodyDataStream) {
    let mut left = LEFT_BYTES_MAX;
    while let Some(Ok(chunk)) = body.next().await {
        match left.checked_sub(chunk.len()) {
            Some(less) => left = less,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use std::{
        io::{Read, Write},
        net::{SocketAddr, TcpStream},
        time::Duration,
    };

    const MB: usize = 1_000_000;
    const TRIES: usize = 20;

    /// Writes everything first, as most clients do; then reads one answer. An error is a lost answer.
    fn ask(address: SocketAddr, path: &str, headers: &str, bytes: usize) -> std::io::Result<(TcpStream, String)> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        write!(stream, "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {bytes}\r\n{headers}\r\n")?;
        stream.write_all(&vec![b'x'; bytes])?;
        let answer = read_answer(&mut stream)?;
        Ok((stream, answer))
    }

    fn read_answer(stream: &mut TcpStream) -> std::io::Result<String> {
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&answer).into_owned();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
            if let (Some((_, body)), Some(length)) = (text.split_once("\r\n\r\n"), length)
                && body.len() >= length
            {
                return Ok(text);
            }
            let read = stream.read(&mut part)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            answer.extend(&part[..read]);
        }
    }

    /// A phone that uploads a photo with a token that has ended has to learn it.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_refusal_is_heard_by_who_is_still_writing() {
        let test = TestApp::start().await;
        let address = test.listen().await;
        let form = "authorization: Bearer wz1.e30.AAAA\r\ncontent-type: multipart/form-data; boundary=edge\r\n";
        let json = "content-type: application/json\r\n";
        let cases = [
            ("/api/uploads", form, "unauthenticated"),
            ("/api/auth/login", json, "too_large"),
            ("/api/nothing", json, "method_not_allowed"),
        ];
        let outcome = tokio::task::spawn_blocking(move || {
            for (path, headers, code) in cases {
                for turn in 0..TRIES {
                    let (mut stream, answer) =
                        ask(address, path, headers, 4 * MB).map_err(|lost| format!("{path}, turn {turn}: the answer is lost: {lost}"))?;
                    if !answer.contains(&format!("\"code\":\"{code}\"")) {
                        return Err(format!("{path}: {answer}"));
                    }
                    // The connection is good for the next request.
                    write!(stream, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").map_err(|error| error.to_string())?;
                    let next = read_answer(&mut stream).map_err(|error| format!("{path}: the next answer: {error}"))?;
                    if !next.starts_with("HTTP/1.1 200") {
                        return Err(next);
                    }
                }
            }
            Ok(())
        });
        outcome.await.unwrap().unwrap();
    }

    /// `Expect: 100-continue`: the refusal comes instead of the invitation.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_asks_first_is_not_invited_in_vain() {
        let test = TestApp::start().await;
        let address = test.listen().await;
        let answers = tokio::task::spawn_blocking(move || {
            [("/api/uploads", "unauthenticated"), ("/api/auth/login", "too_large")].map(|(path, code)| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                let head = "host: x\r\ncontent-length: 4000000\r\nexpect: 100-continue\r\ncontent-type: application/json";
                write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
                (code, read_answer(&mut stream).unwrap())
            })
        });
        for (code, answer) in answers.await.unwrap() {
            assert!(answer.starts_with("HTTP/1.1 4") && answer.contains(code), "{answer}");
        }
    }
}
